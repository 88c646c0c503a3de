/* The yardstick: an epoll loop that receives JT/T 808 frames and answers each with one fixed frame of 20 bytes.
 * It decodes nothing and stores nothing, so it shows what the kernel alone costs a message.
 *
 *   yardstick PORT        listens on 127.0.0.1 and runs until it is told to stop
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 4096, READ_BYTES = 4096, ANSWER_BYTES = 20, MOST_ANSWERS = 64 };

static const unsigned char answer[ANSWER_BYTES] = {0x7e, 0x80, 0x01, 0x00, 0x05, 0x01, 0x38, 0x00, 0x00, 0x00,
                                                   0x01, 0x00, 0x01, 0x00, 0x01, 0x02, 0x00, 0x00, 0xbe, 0x7e};

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void accept_all(int poller, int listener) {
    int one = 1, peer;
    while ((peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = peer};
        setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        epoll_ctl(poller, EPOLL_CTL_ADD, peer, &event);
    }
}

static void answer_reads(int peer) {
    static unsigned char in[READ_BYTES], out[MOST_ANSWERS * ANSWER_BYTES];
    ssize_t got = recv(peer, in, sizeof in, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN) close(peer);
        return;
    }
    int delimiters = 0;
    for (ssize_t i = 0; i < got; i++) delimiters += in[i] == 0x7e;
    int frames = delimiters / 2 > MOST_ANSWERS ? MOST_ANSWERS : delimiters / 2;
    for (int i = 0; i < frames; i++) memcpy(out + i * ANSWER_BYTES, answer, ANSWER_BYTES);
    if (send(peer, out, (size_t)frames * ANSWER_BYTES, MSG_NOSIGNAL) < 0 && errno != EAGAIN) close(peer);
}

int main(int count, char **words) {
    if (count != 2) return fprintf(stderr, "usage: yardstick PORT\n"), 2;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);

    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), poller = epoll_create1(0);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(words[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&here, sizeof here)) die("bind");
    if (listen(listener, 4096)) die("listen");
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);

    static struct epoll_event ready[EVENTS];
    for (;;) {
        int events = epoll_wait(poller, ready, EVENTS, -1);
        for (int i = 0; i < events; i++)
            if (ready[i].data.fd == listener)
                accept_all(poller, listener);
            else
                answer_reads(ready[i].data.fd);
    }
}
