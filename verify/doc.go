// Package verify turns evidence, a log, a policy, collateral and a time into a Result: the one path to a verdict.
//
// It is pure: it reads no file, opens no connection and asks no clock, so the same code runs in the CLI and, as WASM, in
// the reader's browser. What it trusts: the CPU maker's pinned root certificate (through package dcap) and the reader's
// own policy and memory. What it does not trust: everything a server said, a file's name, a bundle's own claims about
// itself. A failed check is a value in the Result; an error means that nothing could be judged.
//
// The chain it walks is the one of docs/verdict.md: hardware, TCB, debug, measurements, binding, freshness, session, keys,
// custody, lineage, log signature, log consistency, entries, witnesses, rollback. No link is skipped: a link nobody could
// look at reads "not checked", which is never "passed".
package verify
