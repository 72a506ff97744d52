#!/bin/sh
# Starts a test program, under UVA_TEST_LAUNCHER where that is set: so one
# build's tests run plain, under valgrind or under an emulator.
# The launcher is a command with arguments, split at blanks on purpose.
# shellcheck disable=SC2086
exec ${UVA_TEST_LAUNCHER:-} "$@"
