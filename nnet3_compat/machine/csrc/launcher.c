/* One of our programs, without a start of Python.
 *
 * links.py puts this program under the names of all others in a folder: FOLDER/launch/copy-feats starts what
 * FOLDER/copy-feats is. The shell's fork server (fork_server.py) forks a process that already has Python and NumPy, which
 * takes over what this one was given. It is named in the environment; where there is none, or it cannot stand in here,
 * FOLDER/copy-feats is executed as if this program had never been.
 *
 * The request is one message: the numbers of all open file descriptors and the program's name, and the descriptors
 * themselves (SCM_RIGHTS). What else there is the other process reads from /proc. Answers are pairs (what, value).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RUNNING = 1, EXITED = 2 }; /* with a process id, with a status as of wait() */
enum { MOST_FILES = 250, PATIENCE = 60000 /* ms, until it runs */, INTERVAL = 1000 /* ms */, FAILURE = 255 };
static const int forwarded[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM};

struct answer {
  int32_t what, value;
};

static pid_t child;
static int in_our_group;

/* What a terminal sends to the process group reaches the child without us. */
static void forward(int number, siginfo_t *info, void *context) {
  (void)context;
  if (!in_our_group || info->si_code <= 0) kill(child, number);
}

static void forward_signals(void) {
  struct sigaction action = {.sa_sigaction = forward, .sa_flags = SA_SIGINFO | SA_RESTART}, before;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof forwarded / sizeof *forwarded; i++)
    if (sigaction(forwarded[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
      sigaction(forwarded[i], &action, NULL);
}

/* The state of a process as a letter of /proc/PID/stat (T: stopped, Z: ended), or 0; also its parent, and its status as
 * of wait(), which stands last and is there once it has ended. */
static char state_of(pid_t pid, pid_t *parent, int *status) {
  char name[32], line[4096], state = 0;
  snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
  FILE *file = fopen(name, "re");
  if (!file) return 0;
  if (fgets(line, sizeof line, file)) {
    char *behind = strrchr(line, ')'), *last = strrchr(line, ' ');
    int number = 0;
    if (behind && last && sscanf(behind + 1, " %c %d", &state, &number) == 2) {
      if (parent) *parent = number;
      if (status) *status = atoi(last);
    }
  }
  fclose(file);
  return state;
}

static int is_stopped(pid_t pid) {
  char state = state_of(pid, NULL, NULL);
  return state == 'T' || state == 't';
}

/* Connects to FOLDER/NAME, or returns -1; also the process that listens there. Nobody else may have made the folder, or
 * answer there; who is stopped is not asked, as it would keep our files open until it goes on. */
static int connect_to(const char *folder, const char *name, pid_t *process) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct stat status;
  int size = snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", folder, name);
  if (size < 0 || (size_t)size >= sizeof address.sun_path) return -1;
  if (lstat(folder, &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 077))
    return -1;
  int server = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (server < 0) return -1;
  struct timeval patience = {.tv_sec = PATIENCE / 1000};
  struct ucred peer;
  socklen_t peer_size = sizeof peer;
  setsockopt(server, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(server, (struct sockaddr *)&address, sizeof address) == 0 &&
      getsockopt(server, SOL_SOCKET, SO_PEERCRED, &peer, &peer_size) == 0 && peer.uid == geteuid() &&
      !is_stopped(peer.pid)) {
    *process = peer.pid;
    return server;
  }
  close(server);
  return -1;
}

/* All open files but one; returns how many, or -1 where they are too many to be sent. */
static int open_files(int but, int32_t *files) {
  DIR *list = opendir("/proc/self/fd");
  if (!list) return -1;
  int count = 0;
  for (struct dirent *entry; count >= 0 && (entry = readdir(list));) {
    int file = entry->d_name[0] == '.' ? -1 : atoi(entry->d_name);
    if (file < 0 || file == but || file == dirfd(list)) continue;
    if (count < MOST_FILES)
      files[count++] = file;
    else
      count = -1;
  }
  closedir(list);
  return count;
}

static int send_request(int server, const char *name, const int32_t *files, int count) {
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(MOST_FILES * sizeof(int))];
  } control;
  struct iovec parts[] = {{(void *)files, count * sizeof *files}, {(void *)name, strlen(name)}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  if (count) {
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    memset(&control, 0, sizeof control);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(&control.header), files, count * sizeof(int));
  }
  return sendmsg(server, &message, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

static int receive(int server, struct answer *answer) {
  ssize_t size;
  do size = recv(server, answer, sizeof *answer, 0);
  while (size < 0 && errno == EINTR);
  return size == sizeof *answer ? 0 : -1;
}

/* Waits for an answer of the server, PATIENCE at most and no longer than it runs; returns whether there is one. */
static int is_answered(int server, pid_t process) {
  struct pollfd wanted = {.fd = server, .events = POLLIN};
  for (int waited = 0; waited < PATIENCE; waited += INTERVAL) {
    int count = poll(&wanted, 1, INTERVAL);
    if (count > 0) return 1;
    if (count < 0 && errno != EINTR) return 0;
    if (is_stopped(process)) return 0;
  }
  return 0;
}

/* Waits for the child's end; returns its status. Where the server that would tell is stopped, /proc does; -1 where it has
 * died. */
static int wait_for_child(int server) {
  struct pollfd wanted = {.fd = server, .events = POLLIN};
  for (;;) {
    struct answer answer;
    pid_t parent = 0;
    int status = 0;
    if (poll(&wanted, 1, INTERVAL) > 0)
      return receive(server, &answer) == 0 && answer.what == EXITED ? answer.value : -1;
    if (state_of(child, &parent, &status) == 'Z' && is_stopped(parent)) return status;
  }
}

/* Ends as the child has ended. */
static void end_as(int status) {
  if (WIFSIGNALED(status)) {
    struct rlimit no_core = {0, 0};
    sigset_t set;
    int number = WTERMSIG(status);
    setrlimit(RLIMIT_CORE, &no_core);
    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
    _exit(128 + number);
  }
  _exit(WEXITSTATUS(status));
}

/* Has the program run by the server, and ends as it does; returns where it did not begin. */
static void run_in_server(const char *folder, const char *key, const char *name) {
  int32_t files[MOST_FILES];
  struct answer answer;
  pid_t process;
  int server = connect_to(folder, key, &process);
  if (server < 0) return;
  int count = open_files(server, files);
  if (count < 0 || send_request(server, name, files, count) != 0) {
    close(server);
    return;
  }
  if (!is_answered(server, process)) shutdown(server, SHUT_RD); /* from now on nobody can begin; who has done so has said it */
  if (receive(server, &answer) != 0 || answer.what != RUNNING) {
    close(server);
    return;
  }
  child = answer.value;
  in_our_group = getpgid(child) == getpgrp();
  forward_signals();
  /* or who writes to the program would not see when it stops reading, or who reads, that it has closed its output */
  for (int i = 0; i < count; i++)
    if (files[i] != STDERR_FILENO) close(files[i]);
  int status = wait_for_child(server);
  if (status >= 0) end_as(status);
  kill(child, SIGKILL);
  fprintf(stderr, "ERROR (%s) The fork server was killed, and so is this program\n", name);
  _exit(FAILURE);
}

int main(int argc, char **argv) {
  (void)argc;
  const char *path = (const char *)getauxval(AT_EXECFN), *server = getenv("NNET_PYTORCH_FORK_SERVER");
  const char *name = path ? strrchr(path, '/') : NULL;
  char folder[PATH_MAX], direct[2 * PATH_MAX];
  /* FOLDER/launch, by its own name: it may have been called by another */
  if (!name || snprintf(direct, sizeof direct, "%.*s/.", (int)(name - path), path) >= (int)sizeof direct ||
      !realpath(direct, folder)) {
    fprintf(stderr, "%s: it can only be called by its path\n", argv[0]);
    return FAILURE;
  }
  *strrchr(folder, '/') = '\0';
  char *key = strrchr(folder, '/');
  if (server && *server && key) run_in_server(server, key + 1, name + 1);
  snprintf(direct, sizeof direct, "%s%s", folder, name);
  execv(direct, argv);
  fprintf(stderr, "%s: %s\n", direct, strerror(errno));
  return errno == ENOENT ? 127 : 126;
}
