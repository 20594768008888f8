#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/status.h"

#include <string.h>

static void a_failure_returns_its_kind_and_keeps_its_message(void **state) {
    (void)state;
    assert_int_equal(sp_fail(SP_ERR_DATA, "%s:%d: is empty", "a.csv", 3), SP_ERR_DATA);
    assert_string_equal(sp_error(), "a.csv:3: is empty");
    assert_int_equal(sp_fail_in(SP_ERR_DATA, "run %d", 2), SP_ERR_DATA);
    assert_string_equal(sp_error(), "run 2: a.csv:3: is empty");
}

static void a_message_is_one_line_whatever_the_value_holds(void **state) {
    (void)state;
    sp_fail(SP_ERR_FORMAT, "a: no '%s'", "x\r\ny\033[2J\177\303\244");
    assert_string_equal(sp_error(), "a: no 'x??y?[2J?\303\244'");
    sp_fail_in(SP_ERR_FORMAT, "in\n%s", "b");
    assert_string_equal(sp_error(), "in?b: a: no 'x??y?[2J?\303\244'");
}

static void a_long_message_is_cut(void **state) {
    (void)state;
    char value[5000];
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    sp_fail(SP_ERR_FORMAT, "%s", value);
    size_t most = strlen(sp_error());
    assert_in_range(most, 1000, sizeof value - 2);
    sp_fail_in(SP_ERR_FORMAT, "%s", value);
    assert_int_equal(strlen(sp_error()), most);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_returns_its_kind_and_keeps_its_message),
        cmocka_unit_test(a_message_is_one_line_whatever_the_value_holds),
        cmocka_unit_test(a_long_message_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
