// Package tlog holds tests only: other people's implementations judge the formats of our action log. Tessera's client and fsck read
// our tiles, x/mod and transparency-dev/formats our notes and proofs, fxamacker/cbor and go-cose our leaves.
package tlog
