// FOR_EACH_PROCESSOR before a function: one version of it for each kind of processor, of which the one is chosen, when the
// module is loaded, whose instructions are there.
//
// The kinds are levels of instructions (AVX-512; AVX2 and FMA), not models: the names of these ("arch=haswell") are only
// known to compilers of their time, and a newer processor would be taken for one of the first.

#pragma once

#if defined(FOR_EACH_PROCESSOR)
#elif defined(__x86_64__) && defined(__linux__) && !defined(__clang__) && __GNUC__ >= 12
#define FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif
