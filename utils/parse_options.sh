# Sourced by a script: takes "--some-name value" and "--some-name=value" off its command line, as Kaldi's
# utils/parse_options.sh does. A variable some_name must exist already; a boolean one takes only true or false.

_option_error() {
  echo "$0: $1" >&2
  exit 1
}

_set_option() { # name value
  local variable=${1//-/_}
  [[ $variable =~ ^[a-zA-Z_][a-zA-Z_0-9]*$ && -n "${!variable+defined}" ]] || _option_error "invalid option --$1"
  case ${!variable} in
    true | false)
      [[ $2 == true || $2 == false ]] || _option_error "expected \"true\" or \"false\": --$1 $2" ;;
  esac
  printf -v "$variable" '%s' "$2"
}

# --config comes first: what it sets is overridden by the other options.
for ((_i = 1; _i < $#; _i++)); do
  if [ "${!_i}" == --config ]; then
    _j=$((_i + 1))
    [ -r "${!_j}" ] || _option_error "cannot read --config ${!_j}"
    . "${!_j}"
  fi
done

while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      if [ -n "${help_message:-}" ]; then printf '%s\n' "$help_message" >&2; else echo "$0: no help" >&2; fi
      exit 0 ;;
    --config) shift 2 ;;
    --*=*)
      _name=${1%%=*}
      _set_option "${_name#--}" "${1#*=}"
      shift ;;
    --*)
      [ $# -ge 2 ] || _option_error "option $1 needs a value"
      _set_option "${1#--}" "$2"
      shift 2 ;;
    *) break ;;
  esac
done
unset _i _j _name
