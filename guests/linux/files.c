/* Files on tmpfs: sizes, holes, names, links, directories, and a mount of our own. */
#define _GNU_SOURCE
#include "exercise.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "/tmp/exercise"
#define SIZE 100000

static uint8_t pattern(size_t at)
{
    return (uint8_t)(at ^ (at >> 7));
}

static void write_pattern(int file)
{
    static uint8_t bytes[SIZE];
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = pattern(i);
    CHECK(write(file, bytes, 33333) == 33333);
    CHECK(pwrite(file, bytes + 33333, SIZE - 33333, 33333) == SIZE - 33333);
}
static void check_pattern(int file)
{
    static uint8_t bytes[SIZE];
    CHECK(pread(file, bytes, SIZE, 0) == SIZE);
    for (size_t i = 0; i < SIZE; i++)
        CHECK(bytes[i] == pattern(i));
}

static void contents(void)
{
    struct stat status;
    int file = open(FOLDER "/one", O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(file >= 0);
    write_pattern(file);
    CHECK(fstat(file, &status) == 0 && status.st_size == SIZE);
    check_pattern(file);
    uint8_t *view = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, file, 0);
    CHECK(view != MAP_FAILED && view[0] == pattern(0) && view[SIZE - 1] == pattern(SIZE - 1));
    CHECK(munmap(view, SIZE) == 0);
    int copy = open(FOLDER "/two", O_RDWR | O_CREAT, 0644);
    off_t from = 0;
    CHECK(copy >= 0 && sendfile(copy, file, &from, SIZE) == SIZE);
    check_pattern(copy);
    CHECK(ftruncate(copy, 10) == 0 && ftruncate(copy, 20) == 0);
    uint8_t tail[20];
    CHECK(pread(copy, tail, 20, 0) == 20 && tail[9] == pattern(9) && tail[10] == 0 && tail[19] == 0);
    CHECK(lseek(copy, 1 << 20, SEEK_SET) == 1 << 20 && write(copy, "x", 1) == 1);
    CHECK(fstat(copy, &status) == 0 && status.st_size == (1 << 20) + 1 && status.st_blocks * 512 < 1 << 20);
    CHECK(close(copy) == 0 && close(file) == 0);
}

static void names(void)
{
    struct stat status;
    char target[64];
    CHECK(rename(FOLDER "/two", FOLDER "/three") == 0);
    CHECK(access(FOLDER "/two", F_OK) == -1 && errno == ENOENT);
    CHECK(link(FOLDER "/one", FOLDER "/hard") == 0 && stat(FOLDER "/one", &status) == 0 && status.st_nlink == 2);
    CHECK(symlink("one", FOLDER "/soft") == 0 && readlink(FOLDER "/soft", target, sizeof target) == 3);
    CHECK(mkdir(FOLDER "/folder", 0700) == 0 && rmdir(FOLDER) == -1);
    int count = 0;
    DIR *folder = opendir(FOLDER);
    CHECK(folder != NULL);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.';
    CHECK(closedir(folder) == 0 && count == 5);
    CHECK(chmod(FOLDER "/one", 0400) == 0 && stat(FOLDER "/soft", &status) == 0 && (status.st_mode & 0777) == 0400);
}

static void many(void)
{
    char name[64];
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, FOLDER "/folder/%d", i);
        int file = open(name, O_WRONLY | O_CREAT, 0600);
        CHECK(file >= 0 && write(file, name, strlen(name)) == (ssize_t)strlen(name) && close(file) == 0);
    }
    for (int i = 99; i >= 0; i--) {
        snprintf(name, sizeof name, FOLDER "/folder/%d", i);
        CHECK(unlink(name) == 0);
    }
    CHECK(rmdir(FOLDER "/folder") == 0);
}

void exercise_files(void)
{
    mkdir("/tmp", 0777);
    CHECK(mkdir(FOLDER, 0700) == 0);
    CHECK(mount("tmpfs", FOLDER, "tmpfs", 0, "size=4m") == 0);
    contents();
    names();
    many();
    CHECK(umount(FOLDER) == 0 && rmdir(FOLDER) == 0);
}
