/*
 * What: what load.c is asked for, and the processor time of processes.
 * Must not know: sockets and frames.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Messages under way are counted in a ring of this many. */
enum { RING = 1024 };

typedef struct {
  uint8_t *at;
  size_t length;
} Bytes;

/* ---- What is asked for ---- */

typedef enum { MODE_ECHO, MODE_BROADCAST, MODE_CHURN, MODE_HOLD } Mode;

static struct {
  Mode mode;
  int port, connections, sources, greeted, frames, inflight, senders, pid;
  int64_t warmupMs, windowMs;
  Bytes request, greeting, message, reply, closing;
  const char *accept, *require;
} plan = {.sources = 1, .frames = 1, .inflight = 1, .senders = 1, .accept = "", .require = ""};

static void fail(const char *what, const char *detail) {
  printf("{\"error\":\"%s%s%s\"}\n", what, *detail ? ": " : "", detail);
  fflush(stdout);
  exit(1);
}

static Bytes fromHex(const char *text) {
  size_t length = strlen(text) / 2;
  uint8_t *at = malloc(length + 1);
  for (size_t i = 0; i < length; i++) {
    unsigned byte = 0;
    sscanf(text + 2 * i, "%2x", &byte);
    at[i] = (uint8_t)byte;
  }
  return (Bytes){at, length};
}

static void readPlan(int count, char **words) {
  for (int i = 1; i + 1 < count; i += 2) {
    const char *key = words[i], *value = words[i + 1];
    if (!strcmp(key, "--mode")) {
      plan.mode = !strcmp(value, "echo")        ? MODE_ECHO
                  : !strcmp(value, "broadcast") ? MODE_BROADCAST
                  : !strcmp(value, "churn")     ? MODE_CHURN
                                                : MODE_HOLD;
    } else if (!strcmp(key, "--port")) plan.port = atoi(value);
    else if (!strcmp(key, "--connections")) plan.connections = atoi(value);
    else if (!strcmp(key, "--sources")) plan.sources = atoi(value);
    else if (!strcmp(key, "--greeted")) plan.greeted = atoi(value);
    else if (!strcmp(key, "--frames")) plan.frames = atoi(value);
    else if (!strcmp(key, "--inflight")) plan.inflight = atoi(value);
    else if (!strcmp(key, "--senders")) plan.senders = atoi(value);
    else if (!strcmp(key, "--pid")) plan.pid = atoi(value);
    else if (!strcmp(key, "--warmup")) plan.warmupMs = atoll(value);
    else if (!strcmp(key, "--window")) plan.windowMs = atoll(value);
    else if (!strcmp(key, "--request")) plan.request = fromHex(value);
    else if (!strcmp(key, "--greeting")) plan.greeting = fromHex(value);
    else if (!strcmp(key, "--message")) plan.message = fromHex(value);
    else if (!strcmp(key, "--reply")) plan.reply = fromHex(value);
    else if (!strcmp(key, "--closing")) plan.closing = fromHex(value);
    else if (!strcmp(key, "--accept")) plan.accept = value;
    else if (!strcmp(key, "--require")) plan.require = value;
    else fail("unknown argument", key);
  }
  if (plan.inflight > RING / 2) fail("too many in flight", "");
}

/* ---- Time and processor time ---- */

static int64_t nowNs(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1000000000LL + at.tv_nsec;
}

/* Nanoseconds that all threads of a process ran, and nanoseconds that they waited for a busy core. */
typedef struct {
  int64_t ran, waited;
} CoreTime;

static CoreTime coreTime(int pid) {
  CoreTime sum = {0, 0};
  char path[400];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *tasks = opendir(path);
  if (!tasks) return sum;
  for (struct dirent *task; (task = readdir(tasks));) {
    if (task->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, task->d_name);
    FILE *file = fopen(path, "r");
    if (!file) continue;
    long long ran = 0, waited = 0;
    if (fscanf(file, "%lld %lld", &ran, &waited) == 2) sum.ran += ran, sum.waited += waited;
    fclose(file);
  }
  closedir(tasks);
  return sum;
}
