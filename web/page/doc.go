// Package page is what the browser's pages ask of the verifier beside the verdict: bytes in, JSON out.
//
// It runs in the reader's browser (cmd/teapot-wasm), so it is pure like the rooms below it: no I/O, no clock. It reaches
// no verdict of its own: Judge, Appraise and Receipt hand everything to package verify; Explain, Entries and Follow
// decode and replay what package dcap, eventlog and tlog checked, so that a person can look inside. It trusts nothing a
// server said. The JSON it writes is docs/formats/page-verifier.md.
package page
