/* The disk's user in the lab's Linux guest: nothing is cached, and what it says goes to the serial console.
 *   disk boot MIB KIB DEPTH   reads so much of /dev/vda at random, DEPTH requests of KIB at a time
 *   disk watch MILLISECONDS   reads 4 KiB at random so often, and prints each latency in microseconds
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int disk;
static off_t bytes;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1e6 + at.tv_nsec / 1e3;
}

static void read_one(void *buffer, size_t size) {
    off_t at = (off_t)(drand48() * (bytes / size)) * size;
    if (pread(disk, buffer, size, at) != (ssize_t)size)
        fail("read");
}

static void *buffer_of(size_t size) {
    void *buffer;
    if (posix_memalign(&buffer, 4096, size))
        fail("memory");
    return buffer;
}

static void boot(int mib, int kib, int depth) {
    long requests = mib * 1024L / kib / depth;
    for (int each = 0; each < depth; each++)
        if (fork() == 0) {
            void *buffer = buffer_of(kib * 1024);
            srand48(each);
            while (requests-- > 0)
                read_one(buffer, kib * 1024);
            exit(0);
        }
    for (int status; wait(&status) > 0;)
        if (status)
            exit(1);
}

static void watch(int milliseconds) {
    void *buffer = buffer_of(4096);
    struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    for (;;) {
        double begun = now();
        read_one(buffer, 4096);
        printf("latency %.0f\n", now() - begun);
        nanosleep(&pause, NULL);
    }
}

int main(int count, char **words) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    disk = open("/dev/vda", O_RDONLY | O_DIRECT);
    if (disk < 0 || (bytes = lseek(disk, 0, SEEK_END)) <= 0)
        fail("/dev/vda");
    if (count == 5 && !strcmp(words[1], "boot"))
        boot(atoi(words[2]), atoi(words[3]), atoi(words[4]));
    else if (count == 3 && !strcmp(words[1], "watch"))
        watch(atoi(words[2]));
    else
        return 2;
    return 0;
}
