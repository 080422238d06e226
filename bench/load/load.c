/*
 * What: the load generator in C, one thread around epoll; compiled at bench time when a C compiler is there.
 * Must not know: which peer it loads; frames come ready-made in arguments (harness/plan.mjs, bench/README.md).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plan.h"

enum { CHUNK = 256 * 1024, EVENTS = 1024, HEAD_LIMIT = 4096, OPENING_LIMIT = 100, SAMPLE_LIMIT = 4096 };

/* ---- Connections ---- */

typedef enum { IDLE, CONNECTING, HANDSHAKE, GREETING, READY, CLOSING, CLOSED } State;

typedef struct {
  int fd;
  State state;
  bool wantsWrite, closeSeen;
  uint32_t framePosition; /* in the expected reply, where one is known */
  uint8_t header[10];     /* of the frame that is being walked, where none is */
  uint32_t headerLength;
  uint64_t payloadLeft;
  uint64_t framesReceived; /* since the connection is ready */
  uint64_t framesToSend;
  size_t burstPosition;
  size_t headLength;
  char *head;
} Connection;

static int poller;
static Connection *connections;
static int opened, ready, opening;
static uint8_t chunk[CHUNK];
static uint8_t *burst; /* the message, or the several that take turns, repeated */
static size_t burstLength, frameLength;

static uint64_t delivered, sent, completed, receivedBytes, churned;
static uint32_t levels[RING]; /* how many connections have had message k */
static bool stopping;
static struct {
  uint8_t bytes[SAMPLE_LIMIT];
  size_t length;
  bool full;
} sample;

static void watch(Connection *c, uint32_t events, int operation) {
  struct epoll_event event = {.events = events, .data.ptr = c};
  if (epoll_ctl(poller, operation, c->fd, &event) < 0) fail("epoll_ctl", strerror(errno));
}

static void openConnection(Connection *c) {
  char *head = c->head ? c->head : malloc(HEAD_LIMIT);
  memset(c, 0, sizeof *c);
  c->head = head;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (c->fd < 0) fail("socket", strerror(errno));
  int one = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (plan.sources > 1) {
    /* Several source addresses: one has only some 28,000 ports, and closed ones rest a minute. */
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(0x7f000001u + (uint32_t)(opened % plan.sources))};
    if (bind(c->fd, (struct sockaddr *)&from, sizeof from) < 0) fail("bind", strerror(errno));
  }
  struct sockaddr_in to = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)plan.port),
                           .sin_addr.s_addr = htonl(0x7f000001u)};
  opened++;
  opening++;
  if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS)
    fail("connect", strerror(errno));
  c->state = CONNECTING;
  watch(c, EPOLLOUT, EPOLL_CTL_ADD);
}

static void sendAll(Connection *c, Bytes bytes) {
  if (bytes.length && send(c->fd, bytes.at, bytes.length, MSG_NOSIGNAL) != (ssize_t)bytes.length)
    fail("send", strerror(errno));
}

/* Writes what is due, as much at a time as the socket takes. */
static void flushMessages(Connection *c) {
  while (c->framesToSend) {
    size_t left = c->framesToSend * frameLength - c->burstPosition % frameLength;
    size_t room = burstLength - c->burstPosition;
    ssize_t wrote = send(c->fd, burst + c->burstPosition, left < room ? left : room, MSG_NOSIGNAL);
    if (wrote < 0) {
      if (errno != EAGAIN) fail("send", strerror(errno));
      if (!c->wantsWrite) watch(c, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
      c->wantsWrite = true;
      return;
    }
    size_t end = c->burstPosition + (size_t)wrote;
    c->framesToSend -= end / frameLength - c->burstPosition / frameLength;
    c->burstPosition = end % burstLength;
  }
  if (c->wantsWrite) watch(c, EPOLLIN, EPOLL_CTL_MOD);
  c->wantsWrite = false;
}

static void frameReceived(Connection *c) {
  if (c->state != READY) {
    c->framesReceived++;
    if (c->state == GREETING && (int)c->framesReceived == plan.greeted) {
      c->state = READY;
      c->framesReceived = 0;
      opening--;
      ready++;
    }
    return;
  }
  delivered++;
  if (plan.mode == MODE_BROADCAST) {
    uint32_t *level = &levels[c->framesReceived % RING];
    if (++*level == (uint32_t)plan.connections) {
      *level = 0;
      completed++;
    }
  }
  c->framesReceived++;
}

/* Engine.IO's heartbeat asks with a text frame "2"; without the "3" the server hangs up. */
static void answerPing(Connection *c) {
  static uint8_t pong[] = {0x81, 0x81, 1, 2, 3, 4, '3' ^ 1};
  sendAll(c, (Bytes){pong, sizeof pong});
}

/* Walks frames of any content. Returns false when the server closes. */
static void walkFrames(Connection *c, const uint8_t *at, const uint8_t *end) {
  bool known = plan.reply.length && c->state == READY;
  while (at < end) {
    if (known && !c->headerLength && !c->payloadLeft) {
      size_t left = plan.reply.length - c->framePosition;
      size_t here = (size_t)(end - at) < left ? (size_t)(end - at) : left;
      if (!memcmp(at, plan.reply.at + c->framePosition, here)) {
        at += here;
        c->framePosition += (uint32_t)here;
        if (c->framePosition < plan.reply.length) return;
        c->framePosition = 0;
        frameReceived(c);
        continue;
      }
      /* Not the reply: a heartbeat, which differs in its second byte at the latest, or a fault. */
      if (c->framePosition > 1) fail("altered reply", "");
      c->headerLength = c->framePosition;
      c->header[0] = plan.reply.at[0];
      c->framePosition = 0;
    }
    if (!c->payloadLeft) {
      uint32_t need = 2;
      while (true) {
        if (c->headerLength >= 2) need = (c->header[1] & 127) == 127 ? 10 : (c->header[1] & 127) == 126 ? 4 : 2;
        if (c->headerLength >= need || at == end) break;
        if (sample.length < SAMPLE_LIMIT && !sample.full && c == connections && c->state == READY)
          sample.bytes[sample.length++] = *at;
        c->header[c->headerLength++] = *at++;
      }
      if (c->headerLength < need) return;
      uint64_t length = c->header[1] & 127;
      if (need == 4) length = (uint64_t)c->header[2] << 8 | c->header[3];
      if (need == 10) {
        length = 0;
        for (int i = 2; i < 10; i++) length = length << 8 | c->header[i];
      }
      c->payloadLeft = length;
    }
    uint8_t opcode = c->header[0] & 15;
    size_t here = (size_t)(end - at) < c->payloadLeft ? (size_t)(end - at) : c->payloadLeft;
    bool heartbeat = plan.greeted && opcode == 1 && c->header[1] == 1 && (here == 0 || *at == '2');
    if (known && !heartbeat && opcode < 8) fail("altered reply", "");
    if (!sample.full && c == connections && c->state == READY) {
      size_t room = SAMPLE_LIMIT - sample.length;
      memcpy(sample.bytes + sample.length, at, here < room ? here : room);
      sample.length += here < room ? here : room;
    }
    at += here;
    c->payloadLeft -= here;
    if (c->payloadLeft) return;
    c->headerLength = 0;
    if (opcode == 8) {
      c->closeSeen = true;
      if (plan.mode != MODE_CHURN) fail("server closed a connection", "");
    } else if (heartbeat) {
      answerPing(c);
    } else if (opcode < 8) {
      if (c == connections && c->state == READY) sample.full = true;
      frameReceived(c);
      known = plan.reply.length && c->state == READY;
    }
  }
}

static void handshakeDone(Connection *c) {
  if (strncmp(c->head, "HTTP/1.1 101 ", 13)) {
    c->head[30] = 0;
    for (char *at = c->head; *at; at++)
      if (*at < ' ' || *at == '"') *at = ' ';
    fail("refused", c->head);
  }
  if (!strstr(c->head, plan.accept)) fail("wrong Sec-WebSocket-Accept", "");
  if (!strstr(c->head, plan.require)) fail("missing in the answer", plan.require);
  if (plan.mode == MODE_CHURN) {
    sendAll(c, plan.closing);
    c->state = CLOSING;
    return;
  }
  sendAll(c, plan.greeting);
  c->state = plan.greeted ? GREETING : READY;
  if (!plan.greeted) ready++, opening--;
}

static void endConnection(Connection *c) {
  close(c->fd);
  if (plan.mode != MODE_CHURN) fail("server dropped a connection", "");
  if (c->state != CLOSING || !c->closeSeen) fail("connection ended without a close frame", "");
  c->state = CLOSED;
  churned++;
  opening--;
  if (!stopping) openConnection(c);
}

static void readable(Connection *c) {
  ssize_t got = recv(c->fd, chunk, CHUNK, 0);
  if (got < 0) {
    if (errno == EAGAIN) return;
    fail("recv", strerror(errno));
  }
  if (got == 0) {
    endConnection(c);
    return;
  }
  receivedBytes += (uint64_t)got;
  uint8_t *at = chunk, *end = chunk + got;
  if (c->state == HANDSHAKE) {
    size_t room = HEAD_LIMIT - 1 - c->headLength;
    size_t here = (size_t)got < room ? (size_t)got : room;
    memcpy(c->head + c->headLength, chunk, here);
    c->head[c->headLength + here] = 0;
    char *mark = strstr(c->head, "\r\n\r\n");
    if (!mark) {
      c->headLength += here;
      if (c->headLength >= HEAD_LIMIT - 1) fail("answer too long", "");
      return;
    }
    at += (size_t)(mark + 4 - c->head) - c->headLength;
    mark[2] = 0;
    handshakeDone(c);
  }
  uint64_t before = c->framesReceived;
  bool wasReady = c->state == READY;
  walkFrames(c, at, end);
  if (plan.mode == MODE_ECHO && wasReady && !stopping) {
    uint64_t frames = c->framesReceived - before;
    if (frames) {
      c->framesToSend += frames;
      sent += frames;
      flushMessages(c);
    }
  }
}

static void writable(Connection *c) {
  if (c->state == CONNECTING) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) fail("connect", strerror(error));
    sendAll(c, plan.request);
    c->state = HANDSHAKE;
    watch(c, EPOLLIN, EPOLL_CTL_MOD);
  } else {
    flushMessages(c);
  }
}

/* A broadcast counts as finished when every connection has it; then the next one leaves. */
static void topUpBroadcast(void) {
  while (!stopping && sent - completed < (uint64_t)plan.inflight) {
    connections[sent % (uint64_t)plan.senders].framesToSend++;
    sent++;
  }
  for (int i = 0; i < plan.senders; i++)
    if (connections[i].framesToSend && !connections[i].wantsWrite) flushMessages(&connections[i]);
}

static void turn(int timeoutMs) {
  static struct epoll_event events[EVENTS];
  int count = epoll_wait(poller, events, EVENTS, timeoutMs);
  for (int i = 0; i < count; i++) {
    Connection *c = events[i].data.ptr;
    if (events[i].events & EPOLLOUT) writable(c);
    if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR) && c->state != CONNECTING) readable(c);
  }
}

static void openAll(void) {
  int64_t deadline = nowNs() + 60000000000LL;
  int next = 0;
  while (ready < plan.connections) {
    while (next < plan.connections && opening < OPENING_LIMIT) openConnection(&connections[next++]);
    turn(100);
    if (nowNs() > deadline) fail("connections did not become ready", "");
  }
}

static void runWindow(void) {
  int64_t begin = nowNs() + plan.warmupMs * 1000000LL;
  while (nowNs() < begin) {
    turn(10);
    if (plan.mode == MODE_BROADCAST) topUpBroadcast();
  }
  CoreTime server = coreTime(plan.pid), self = coreTime(getpid());
  uint64_t deliveredBefore = delivered, bytesBefore = receivedBytes, churnedBefore = churned;
  begin = nowNs();
  int64_t end = begin + plan.windowMs * 1000000LL, at;
  while ((at = nowNs()) < end) {
    turn(10);
    if (plan.mode == MODE_BROADCAST) topUpBroadcast();
  }
  CoreTime serverEnd = coreTime(plan.pid), selfEnd = coreTime(getpid());
  uint64_t count = plan.mode == MODE_CHURN ? churned - churnedBefore : delivered - deliveredBefore;
  uint64_t bytes = receivedBytes - bytesBefore;

  /* Nothing new leaves; all that is under way must arrive. */
  stopping = true;
  uint64_t perMessage = plan.mode == MODE_BROADCAST ? (uint64_t)plan.connections : 1;
  int64_t patience = nowNs() + 5000000000LL;
  while (nowNs() < patience && (plan.mode == MODE_CHURN ? opening > 0 : delivered < sent * perMessage)) turn(10);
  /* One that comes twice comes last. */
  for (patience = nowNs() + 50000000LL; nowNs() < patience;) turn(10);
  if (plan.mode == MODE_CHURN ? opening > 0 : delivered != sent * perMessage) {
    char detail[80];
    snprintf(detail, sizeof detail, "%llu of %llu", (unsigned long long)(plan.mode == MODE_CHURN ? churned : delivered),
             (unsigned long long)(plan.mode == MODE_CHURN ? (uint64_t)opened : sent * perMessage));
    fail("not what was due arrived", detail);
  }
  double seconds = (double)(at - begin) / 1e9;
  printf("{\"count\":%llu,\"seconds\":%.6f,\"bytes\":%llu,\"serverRan\":%.4f,\"serverWaited\":%.4f,"
         "\"loadRan\":%.4f,\"loadWaited\":%.4f,\"sample\":\"",
         (unsigned long long)count, seconds, (unsigned long long)bytes,
         (double)(serverEnd.ran - server.ran) / 1e9 / seconds, (double)(serverEnd.waited - server.waited) / 1e9 / seconds,
         (double)(selfEnd.ran - self.ran) / 1e9 / seconds, (double)(selfEnd.waited - self.waited) / 1e9 / seconds);
  for (size_t i = 0; sample.full && i < sample.length; i++) printf("%02x", sample.bytes[i]);
  printf("\"}\n");
}

int main(int count, char **words) {
  readPlan(count, words);
  poller = epoll_create1(0);
  connections = calloc((size_t)plan.connections, sizeof *connections);
  if (plan.message.length) {
    size_t repeats = 1 + 65536 / plan.message.length;
    frameLength = plan.message.length / (size_t)plan.frames;
    burstLength = repeats * plan.message.length;
    burst = malloc(burstLength);
    for (size_t i = 0; i < repeats; i++)
      memcpy(burst + i * plan.message.length, plan.message.at, plan.message.length);
  }

  if (plan.mode == MODE_CHURN) {
    for (int i = 0; i < plan.connections; i++) openConnection(&connections[i]);
    runWindow();
  } else {
    openAll();
    if (plan.mode == MODE_HOLD) {
      printf("{\"held\":%d}\n", ready);
      fflush(stdout);
      struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
      epoll_ctl(poller, EPOLL_CTL_ADD, 0, &event);
      /* Any word on the standard input, or its end, says that the measurement is over. */
      while (true) {
        struct epoll_event events[EVENTS];
        int found = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < found; i++) {
          if (!events[i].data.ptr) return 0;
          readable(events[i].data.ptr);
        }
      }
    }
    if (plan.mode == MODE_ECHO) {
      for (int i = 0; i < plan.connections; i++) {
        connections[i].framesToSend = (uint64_t)plan.inflight;
        sent += (uint64_t)plan.inflight;
        flushMessages(&connections[i]);
      }
    } else {
      topUpBroadcast();
    }
    runWindow();
  }
  return 0;
}
