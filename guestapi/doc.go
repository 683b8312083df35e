// Package guestapi serves the wire protocol of tappd (dstack 0.3) and of the dstack guest agent (0.4 to 0.6, v0 and v1)
// over any attest.Attester, so that programs written for those run unchanged on every platform Teapot knows, and on its simulator.
//
// It trusts its Attester and its Keys. It does not trust its callers: every caller's quote passes through one function that
// computes the final 64 bytes and refuses those that begin with TEAPOT, key names under teapot/ do not exist for callers, and what
// a caller may do at all is said by the Policy of the socket it came through. It proves nothing about who the caller is.
//
// Wire facts: dstack's agent_rpc.proto and agent_rpc_v1.proto, docs/guest-api-v0.md and docs/guest-api-v1.md (tags v0.3.4, v0.5.11, 0.6.0).
package guestapi
