/**
 * True in the long suite, `scripts/test long`: tests that take minutes then run in full, and in a short
 * form otherwise.
 */
export const isLong = process.env["NODE0_TEST_LONG"] === "1";
