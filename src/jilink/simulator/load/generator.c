/* The load: many terminals in one process, each with its own login and its own positions.
 *
 *   generator PORT SECONDS RATE PER_READ SERVER_PID SCRIPT [hold|asked]
 *
 * RATE     messages a second over all terminals; 0 means closed loop (each sends again when it was answered)
 * PER_READ frames sent in one write
 * SERVER_PID  process whose CPU time is charged (threads included); further pids may follow after commas
 * SCRIPT   written by jilink.simulator.load: u32 terminals, then for each: u16 length + login frame (length 0: none),
 *          u16 count, then count times u16 length + frame; little endian
 * hold     log in, then keep every connection open and idle for SECONDS
 * asked    log in, then measure once for every line "SECONDS RATE PER_READ" of the standard input, silent in between (the words
 *          given at the start count for nothing), so that several servers can be measured in turns
 *
 * Prints {"online": n} when everyone is logged in, and after each measurement one JSON object. Latency is from a terminal's write
 * to the last answer of what it wrote. Each process takes local addresses of its own (by its id), so that several find enough ports.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 4096, WRITE_BYTES = 8192, SLOTS = 100000, CONNECTIONS_AN_ADDRESS = 20000 };
static const double SLOT_S = 5e-5, WARM_S = 1.0, WARM_AGAIN_S = 0.4, WARM_LIMIT_S = 30.0, DRAIN_S = 2.0;
/* Measuring begins when this time is over and as many answers have come as there are terminals: what their coming caused is then done. */

struct terminal {
    int fd, frames, next, waiting;
    const uint8_t *login, *first, *at;
    unsigned login_length;
    double sent_at;
};

static struct terminal *terminals;
static uint32_t terminal_count;
static long sent, answered, late, lost, histogram[SLOTS];
static const char *server_pids;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static unsigned u16(const uint8_t *p) { return p[0] | (unsigned)p[1] << 8; }

/* User and system seconds of the server so far: their sum to the nanosecond, split as the kernel's ticks are. */
static void server_cpu(double *user, double *system) {
    char list[256];
    double exact = 0;
    *user = *system = 0;
    snprintf(list, sizeof list, "%s", server_pids);
    for (char *pid = strtok(list, ","); pid; pid = strtok(NULL, ",")) {
        char path[64], text[1024];
        long u, s;
        snprintf(path, sizeof path, "/proc/%s/stat", pid);
        FILE *file = fopen(path, "r");
        if (!file) continue;
        text[fread(text, 1, sizeof text - 1, file)] = 0;
        fclose(file);
        char *rest = strrchr(text, ')');
        if (rest && sscanf(rest + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &u, &s) == 2) {
            *user += (double)u / (double)sysconf(_SC_CLK_TCK);
            *system += (double)s / (double)sysconf(_SC_CLK_TCK);
        }
        clockid_t clock;
        struct timespec t;
        if (!clock_getcpuclockid(atoi(pid), &clock) && !clock_gettime(clock, &t)) exact += (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
    }
    double ticks = *user + *system;
    if (ticks > 0 && exact > 0) {
        *user *= exact / ticks;
        *system *= exact / ticks;
    }
}

static void read_script(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) die(path);
    fseek(file, 0, SEEK_END);
    long length = ftell(file);
    rewind(file);
    uint8_t *all = malloc((size_t)length);
    if (fread(all, 1, (size_t)length, file) != (size_t)length) die("script");
    fclose(file);
    memcpy(&terminal_count, all, 4);
    terminals = calloc(terminal_count, sizeof *terminals);
    const uint8_t *p = all + 4;
    for (uint32_t i = 0; i < terminal_count; i++) {
        struct terminal *t = &terminals[i];
        t->login_length = u16(p);
        t->login = p + 2;
        p += 2 + t->login_length;
        t->frames = (int)u16(p);
        t->first = t->at = p + 2;
        p += 2;
        for (int k = 0; k < t->frames; k++) p += 2 + u16(p);
    }
}

static void connect_all(int poller, int port) {
    int one = 1;
    uint32_t address = 0x7f000002 + ((uint32_t)getpid() & 255) * 256;
    for (uint32_t i = 0; i < terminal_count; i++) {
        struct terminal *t = &terminals[i];
        struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address + i / CONNECTIONS_AN_ADDRESS)};
        if ((t->fd = socket(AF_INET, SOCK_STREAM, 0)) < 0) die("socket");
        setsockopt(t->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        if (bind(t->fd, (struct sockaddr *)&here, sizeof here)) die("bind");
        if (connect(t->fd, (struct sockaddr *)&there, sizeof there)) die("connect");
        setsockopt(t->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        fcntl(t->fd, F_SETFL, O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        epoll_ctl(poller, EPOLL_CTL_ADD, t->fd, &event);
        if (t->login_length && send(t->fd, t->login, t->login_length, MSG_NOSIGNAL) != (ssize_t)t->login_length) lost++;
    }
}

/* Count whole frames among the bytes just read; a frame ends at every second delimiter. */
static int frames_read(struct terminal *t) {
    static uint8_t in[65536];
    ssize_t got = recv(t->fd, in, sizeof in, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN) {
            lost++;
            close(t->fd);
            t->fd = -1;
        }
        return 0;
    }
    int delimiters = 0;
    for (ssize_t i = 0; i < got; i++) delimiters += in[i] == 0x7e;
    return delimiters / 2;
}

static void log_in(int poller) {
    static struct epoll_event ready[EVENTS];
    long open = 0;
    for (uint32_t i = 0; i < terminal_count; i++) open += terminals[i].login_length > 0;
    for (double until = now() + 60; open > 0 && now() < until;) {
        int events = epoll_wait(poller, ready, EVENTS, 100);
        for (int i = 0; i < events; i++) open -= frames_read(&terminals[ready[i].data.u32]);
    }
    if (open > 0) fprintf(stderr, "%ld terminals were not answered at login\n", open);
}

static void write_positions(struct terminal *t, int per_read) {
    uint8_t out[WRITE_BYTES];
    size_t length = 0;
    if (t->fd < 0) return;
    for (int k = 0; k < per_read; k++) {
        unsigned size = u16(t->at);
        if (length + size > sizeof out) break;
        memcpy(out + length, t->at + 2, size);
        length += size;
        t->at += 2 + size;
        if (++t->next == t->frames) {
            t->next = 0;
            t->at = t->first;
        }
    }
    if (send(t->fd, out, length, MSG_NOSIGNAL) != (ssize_t)length) {
        lost++;
        return;
    }
    sent += per_read;
    t->waiting += per_read;
    t->sent_at = now();
}

static double percentile(double part) {
    long all = 0, seen = 0;
    for (int i = 0; i < SLOTS; i++) all += histogram[i];
    for (int i = 0; i < SLOTS; i++)
        if ((double)(seen += histogram[i]) >= part * (double)all && all) return 1e3 * SLOT_S * (i + 1);
    return -1;
}

/* Handle the answers that are there; in a closed loop each terminal that has all of its own sends again. */
static void take_answers(int poller, int timeout_ms, int per_read, int again) {
    static struct epoll_event ready[EVENTS];
    int events = epoll_wait(poller, ready, EVENTS, timeout_ms);
    for (int i = 0; i < events; i++) {
        struct terminal *one = &terminals[ready[i].data.u32];
        int frames = frames_read(one);
        answered += frames;
        one->waiting -= frames;
        if (!frames || one->waiting > 0) continue;
        one->waiting = 0;
        int slot = (int)((now() - one->sent_at) / SLOT_S);
        histogram[slot < SLOTS ? slot : SLOTS - 1]++;
        if (again) write_positions(one, per_read);
    }
}

/* Measure once and print what was found; 0 where too few terminals were answered to begin. */
static int measure(int poller, double seconds, double rate, int per_read, double warm) {
    double start = now(), end = start + WARM_LIMIT_S, measured_from = 0, next_send = start, user0 = 0, system0 = 0, user, system;
    long before = answered, sent0 = 0, answered0 = 0;
    uint32_t turn = 0;
    late = 0;
    if (rate <= 0)
        for (uint32_t i = 0; i < terminal_count; i++) write_positions(&terminals[i], per_read);
    for (double t; (t = now()) < end;) {
        if (!measured_from && t > start + warm && answered - before >= (long)terminal_count) {
            measured_from = t;
            end = t + seconds;
            sent0 = sent;
            answered0 = answered;
            memset(histogram, 0, sizeof histogram);
            server_cpu(&user0, &system0);
        }
        for (int burst = 0; rate > 0 && next_send < t && burst < 512; burst++, next_send += per_read / rate) {
            if (terminals[turn].waiting)
                late++;
            else
                write_positions(&terminals[turn], per_read);
            turn = (turn + 1) % terminal_count;
        }
        if (rate > 0 && t - next_send > 0.5) next_send = t;
        take_answers(poller, rate > 0 ? (next_send > t + 0.001) : 100, per_read, rate <= 0);
    }
    if (!measured_from) return fprintf(stderr, "%ld of %u terminals were answered\n", answered - before, terminal_count), 0;
    double elapsed = now() - measured_from, messages = (double)(answered - answered0), each = messages > 0 ? 1e6 / messages : 0;
    server_cpu(&user, &system);
    printf("{\"terminals\": %u, \"per_read\": %d, \"seconds\": %.2f, \"sent_s\": %.0f, \"answered_s\": %.0f, \"user_us\": %.3f, \"system_us\": %.3f, "
           "\"cpu\": %.3f, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"late\": %ld, \"lost\": %ld}\n",
           terminal_count, per_read, elapsed, (double)(sent - sent0) / elapsed, messages / elapsed, each * (user - user0),
           each * (system - system0), (user + system - user0 - system0) / elapsed, percentile(0.5), percentile(0.99), late, lost);
    fflush(stdout);
    return 1;
}

/* Wait for the answers that are still owed, so that the next measurement of another server has the machine for itself. */
static void drain(int poller) {
    for (double until = now() + DRAIN_S; now() < until;) {
        long owed = 0;
        take_answers(poller, 10, 1, 0);
        for (uint32_t i = 0; i < terminal_count; i++) owed += terminals[i].fd >= 0 ? terminals[i].waiting : 0;
        if (!owed) return;
    }
}

int main(int count, char **words) {
    if (count < 7) return fprintf(stderr, "usage: generator PORT SECONDS RATE PER_READ SERVER_PID SCRIPT [hold|asked]\n"), 2;
    int port = atoi(words[1]), per_read = atoi(words[4]), poller = epoll_create1(0);
    double seconds = atof(words[2]), rate = atof(words[3]);
    const char *mode = count > 7 ? words[7] : "";
    server_pids = words[5];
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    read_script(words[6]);
    connect_all(poller, port);
    log_in(poller);
    if (!strcmp(mode, "hold")) {
        printf("{\"held\": %u, \"lost\": %ld}\n", terminal_count, lost);
        fflush(stdout);
        sleep((unsigned)seconds);
        return 0;
    }
    printf("{\"online\": %u}\n", terminal_count);
    fflush(stdout);
    if (strcmp(mode, "asked")) return !measure(poller, seconds, rate, per_read, WARM_S);
    while (scanf("%lf %lf %d", &seconds, &rate, &per_read) == 3) {
        if (!measure(poller, seconds, rate, per_read, WARM_AGAIN_S)) return 1;
        drain(poller);
    }
    return 0;
}
