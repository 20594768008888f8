/* Files, folders, locks and hashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/hash.h"
#include "core/host.h"
#include "support/folder.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static void assert_content(const char *path, const char *expected) {
    sp_buf text = {0};
    assert_int_equal(sp_read_file(path, &text), SP_OK);
    assert_int_equal(text.len, strlen(expected));
    assert_string_equal(text.data, expected);
    sp_buf_free(&text);
}

static void a_written_file_reads_back_and_is_replaced_whole(void **state) {
    (void)state;
    char *folder = make_folder(), *path = sp_path_join(folder, "a.txt");
    assert_int_equal(sp_write_file(path, "first version", 13), SP_OK);
    assert_content(path, "first version");
    assert_int_equal(sp_write_file(path, "2nd", 3), SP_OK);
    assert_content(path, "2nd");
    assert_int_equal(sp_write_file(path, "", 0), SP_OK);
    assert_content(path, "");
    assert_int_equal(count_files(folder), 1);
    free(path);
    remove_folder(folder);
}

/* A limit on file sizes stands in for a full disk. */
static void a_write_that_fails_leaves_the_old_file_and_nothing_else(void **state) {
    (void)state;
    char *folder = make_folder(), *path = sp_path_join(folder, "a.txt");
    static const char large[100000];
    struct rlimit kept, small;
    assert_int_equal(sp_write_file(path, "old", 3), SP_OK);
    getrlimit(RLIMIT_FSIZE, &kept);
    small = kept;
    small.rlim_cur = 1000;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    sp_status st = sp_write_file(path, large, sizeof large);
    setrlimit(RLIMIT_FSIZE, &kept);
    assert_int_equal(st, SP_ERR_IO);
    assert_non_null(strstr(sp_error(), path));
    assert_content(path, "old");
    assert_int_equal(count_files(folder), 1);
    free(path);
    remove_folder(folder);
}

static void a_write_into_a_missing_folder_names_the_file(void **state) {
    (void)state;
    assert_int_equal(sp_write_file("/tmp/softprompt-absent/a.txt", "x", 1), SP_ERR_IO);
    assert_non_null(strstr(sp_error(), "/tmp/softprompt-absent/a.txt"));
}

static void missing_files_and_folders_are_told_apart(void **state) {
    (void)state;
    sp_buf text = {0};
    sp_map map;
    assert_int_equal(sp_read_file("/tmp/softprompt-absent", &text), SP_ERR_MISSING);
    assert_non_null(strstr(sp_error(), "/tmp/softprompt-absent"));
    assert_int_equal(sp_map_file("/tmp/softprompt-absent", &map), SP_ERR_MISSING);
    assert_int_equal(sp_read_file("/tmp", &text), SP_ERR_IO);
    assert_int_equal(sp_map_file("/tmp", &map), SP_ERR_IO);
    sp_buf_free(&text);
}

static void a_map_shows_the_file_and_an_empty_file_maps_to_nothing(void **state) {
    (void)state;
    char *folder = make_folder(), *path = sp_path_join(folder, "a.bin");
    sp_map map;
    assert_int_equal(sp_write_file(path, "\1\2\3", 3), SP_OK);
    assert_int_equal(sp_map_file(path, &map), SP_OK);
    assert_int_equal(map.len, 3);
    assert_memory_equal(map.data, "\1\2\3", 3);
    sp_unmap_file(&map);
    assert_int_equal(sp_write_file(path, "", 0), SP_OK);
    assert_int_equal(sp_map_file(path, &map), SP_OK);
    assert_int_equal(map.len, 0);
    sp_unmap_file(&map);
    free(path);
    remove_folder(folder);
}

static void folders_are_made_with_their_parents_and_may_exist(void **state) {
    (void)state;
    char *folder = make_folder(), *deep = sp_path_join(folder, "x/y/z");
    assert_int_equal(sp_make_folders(deep), SP_OK);
    assert_int_equal(sp_make_folders(deep), SP_OK);
    assert_true(sp_file_exists(deep));
    for (int i = 0; i < 3; i++) {
        rmdir(deep);
        *strrchr(deep, '/') = '\0';
    }
    char *file = sp_path_join(folder, "file"), *below = sp_path_join(file, "x");
    assert_int_equal(sp_write_file(file, "", 0), SP_OK);
    assert_int_equal(sp_make_folders(below), SP_ERR_IO);
    assert_non_null(strstr(sp_error(), file));
    assert_int_equal(sp_make_folders(file), SP_ERR_IO);
    assert_non_null(strstr(sp_error(), "Not a directory"));
    assert_int_equal(sp_make_folders(""), SP_ERR_IO);
    free(file);
    free(below);
    free(deep);
    remove_folder(folder);
}

static void assert_path(char *got, const char *expected) {
    assert_string_equal(got, expected);
    free(got);
}

static void paths_join_and_split(void **state) {
    (void)state;
    assert_path(sp_path_join("a/b", "c"), "a/b/c");
    assert_path(sp_path_join("a/b/", "c"), "a/b/c");
    assert_path(sp_path_join("/", "c"), "/c");
    assert_path(sp_path_folder("a/b/c"), "a/b");
    assert_path(sp_path_folder("c"), ".");
    assert_path(sp_path_folder("/c"), "/");
}

static void a_file_is_found_here_or_where_the_program_came_from(void **state) {
    (void)state;
    char *home = make_folder(), *own = sp_path_join(home, "softprompt-own.txt");
    assert_int_equal(sp_write_file(own, "", 0), SP_OK);
    setenv("SOFTPROMPT_HOME", home, 1);
    assert_string_equal(sp_home(), home);
    assert_path(sp_find_file("softprompt-own.txt"), own);
    assert_path(sp_find_file("CMakeLists.txt"), "CMakeLists.txt");
    assert_path(sp_find_file("softprompt-absent.txt"), "softprompt-absent.txt");
    assert_path(sp_find_file("/absent/a.txt"), "/absent/a.txt");
    unsetenv("SOFTPROMPT_HOME");
    assert_string_equal(sp_home(), SP_SOURCE_DIR);
    free(own);
    remove_folder(home);
}

static void a_lock_is_held_by_one_until_it_is_released(void **state) {
    (void)state;
    char *folder = make_folder(), *path = sp_path_join(folder, "lock");
    int first, second;
    assert_int_equal(sp_lock_file(path, &first), SP_OK);
    assert_int_equal(sp_lock_file(path, &second), SP_ERR_BUSY);
    assert_non_null(strstr(sp_error(), path));
    sp_unlock_file(second);
    sp_unlock_file(first);
    assert_int_equal(sp_lock_file(path, &second), SP_OK);
    sp_unlock_file(second);
    assert_int_equal(sp_lock_file("/tmp/softprompt-absent/lock", &first), SP_ERR_IO);
    free(path);
    remove_folder(folder);
}

/* The kernel's answer, or that of a filesystem without locks. */
static int lock_error;

int flock(int fd, int operation) {
    if (!lock_error) return (int)syscall(SYS_flock, fd, operation);
    errno = lock_error;
    return -1;
}

static void a_filesystem_without_locks_is_told(void **state) {
    (void)state;
    static const int errors[] = {ENOLCK, EOPNOTSUPP, ENOSYS};
    char *folder = make_folder(), *path = sp_path_join(folder, "lock");
    int fd;
    for (int i = 0; i < 3; i++) {
        lock_error = errors[i];
        assert_int_equal(sp_lock_file(path, &fd), SP_ERR_IO);
        assert_non_null(strstr(sp_error(), "this filesystem has no file locks"));
        assert_int_equal(fd, -1);
    }
    lock_error = 0;
    free(path);
    remove_folder(folder);
}

/* Who waits for a lock whose file is removed gets that of the file that is there, not of the old.
 */
static void the_lock_of_a_removed_file_is_none(void **state) {
    (void)state;
    char *folder = make_folder(), *path = sp_path_join(folder, "lock");
    int first, second, third;
    assert_int_equal(sp_lock_file(path, &first), SP_OK);
    assert_true(sp_is_locked(path));
    assert_int_equal(unlink(path), 0);
    assert_false(sp_is_locked(path));
    assert_int_equal(sp_lock_file(path, &second), SP_OK);
    assert_int_equal(sp_lock_file_within(path, 0.05, &third), SP_ERR_BUSY);
    sp_unlock_file(first);
    assert_true(sp_is_locked(path));
    sp_unlock_file(second);
    assert_false(sp_is_locked(path));
    free(path);
    remove_folder(folder);
}

/* A copy of the descriptor in a child does not keep a lock that was given back. */
static void a_lock_is_given_back_for_all_copies(void **state) {
    (void)state;
    char *folder = make_folder(), *path = sp_path_join(folder, "lock");
    int fd, again;
    assert_int_equal(sp_lock_file(path, &fd), SP_OK);
    int copy = dup(fd);
    sp_unlock_file(fd);
    assert_int_equal(sp_lock_file(path, &again), SP_OK);
    sp_unlock_file(again);
    close(copy);
    free(path);
    remove_folder(folder);
}

static void a_temporary_name_tells_whose_it_is(void **state) {
    (void)state;
    char *own = sp_temporary_path("a/table.md");
    char *dead = sp_format("table.md.tmp-4194999@%s", sp_host());
    assert_true(sp_is_temporary(own) && !sp_is_left_over(own));
    assert_true(sp_is_left_over(dead));
    assert_false(sp_is_left_over("table.md.tmp-4194999@elsewhere"));
    assert_false(sp_is_left_over("table.md.tmp-4194999"));
    assert_false(sp_is_left_over("table.md.tmp-"));
    assert_false(sp_is_temporary("table.md"));
    free(own), free(dead);
}

static void hashes_equal_the_published_vectors(void **state) {
    (void)state;
    static const char empty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    char *folder = make_folder(), *path = sp_path_join(folder, "a.txt");
    sp_digest digest;
    assert_string_equal(sp_sha256("", 0).hex, empty);
    assert_string_equal(sp_sha256("abc", 3).hex, abc);
    assert_int_equal(sp_write_file(path, "abc", 3), SP_OK);
    assert_int_equal(sp_sha256_file(path, &digest), SP_OK);
    assert_string_equal(digest.hex, abc);
    assert_int_equal(sp_write_file(path, "", 0), SP_OK);
    assert_int_equal(sp_sha256_file(path, &digest), SP_OK);
    assert_string_equal(digest.hex, empty);
    assert_int_equal(sp_sha256_file("/tmp/softprompt-absent", &digest), SP_ERR_MISSING);
    free(path);
    remove_folder(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_written_file_reads_back_and_is_replaced_whole),
        cmocka_unit_test(a_write_that_fails_leaves_the_old_file_and_nothing_else),
        cmocka_unit_test(a_write_into_a_missing_folder_names_the_file),
        cmocka_unit_test(missing_files_and_folders_are_told_apart),
        cmocka_unit_test(a_map_shows_the_file_and_an_empty_file_maps_to_nothing),
        cmocka_unit_test(folders_are_made_with_their_parents_and_may_exist),
        cmocka_unit_test(paths_join_and_split),
        cmocka_unit_test(a_file_is_found_here_or_where_the_program_came_from),
        cmocka_unit_test(a_lock_is_held_by_one_until_it_is_released),
        cmocka_unit_test(a_filesystem_without_locks_is_told),
        cmocka_unit_test(the_lock_of_a_removed_file_is_none),
        cmocka_unit_test(a_lock_is_given_back_for_all_copies),
        cmocka_unit_test(a_temporary_name_tells_whose_it_is),
        cmocka_unit_test(hashes_equal_the_published_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
