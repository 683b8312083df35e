// Package dcap verifies Intel SGX and TDX quotes: it reads a quote and its collateral and says what genuine hardware
// said, how current its firmware is, and what is short.
//
// It trusts one certificate: the pinned Intel SGX Root CA, or the root that the caller names. It trusts neither who
// delivers the quote nor who delivers the collateral: every byte that decides is under a signature that chains to the
// root, and freshness is judged at the time that the caller passes. It does no I/O, reads no clock and holds no
// secrets; it builds for GOOS=js.
//
// Two questions are kept apart. The status (Report.Status) is Intel's verdict on the platform, by Intel's own
// algorithm (Intel SGX/TDX DCAP Quote Verification Library, section 4.1.2 of its specification). Whether the status
// and the attributes are good enough (Report.Accepted) is the caller's Policy; the zero Policy is the strict one.
// docs/formats/dcap-policy.md and docs/dcap-answers.md say where Teapot is stricter than Intel and why.
//
//	var v dcap.Verifier
//	c, err := dcap.ParseCollateral(json)
//	report, err := v.Verify(quote, c, dcap.Options{At: time.Now()})
//	if err == nil && report.Accepted { … }
//
// Multi-byte integers in quotes are little-endian, in signatures and keys big-endian.
package dcap
