// Package tlog holds the formats of the action log: leaf, tree, checkpoint, proofs, cosignatures, tiles and receipt, and the
// auditor that walks a log.
//
// It is pure: no I/O, no clock, no random numbers of its own. It trusts nothing it is given: a Leaf that decodes is well formed
// and no more; signatures, indices and roots count only after the functions here have compared them. It does not know what a
// quote is: which agent key and boot key belong to which start is the boot leaf's claim, which package verify compares with
// the attested boot statement.
//
// Formats byte by byte: docs/formats/leaf.md, checkpoint.md, receipt.md. Specifications: RFC 6962 §2.1 (tree), RFC 9052
// (COSE_Sign1), C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-tiles, tlog-proof, tlog-policy, RFC 9942 (receipts).
package tlog
