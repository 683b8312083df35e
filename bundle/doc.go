// Package bundle is the portable file of Teapot: one answer of one log with everything a stranger needs to judge it.
//
// The container is binary, deterministic and streamed both ways: a magic, then records in a fixed order (header, session
// evidence, boot evidences, collateral, checkpoint, kinds, entries and subtrees left out, end). docs/formats/bundle.md has the
// bytes. A Reader trusts nothing: it checks form, order, coverage and the checksum at the end, which tells damage from a
// complete file and is no security. Whether the contents hold is for tlog.Auditor and package verify.
//
// The package also recognises by content the other files that can be verified: receipts and fork evidence.
package bundle
