// Package ratls is attested TLS: a TLS 1.3 server whose certificate carries interoperable RA-TLS evidence, a session proof
// made on the same connection after the handshake, and sealed bodies (EHBP) for browsers and for clients behind proxies.
//
// What it trusts: the boot statement's TLS and HPKE keys, once package verify accepted the quote over that statement.
// What it does not trust: certificate authorities, names, and RA-TLS evidence in a peer's certificate. That evidence is
// made for other people's clients; it vouches for a key but not for a connection, so a stolen key can be used elsewhere with
// it. Here a peer is accepted only by the boot statement's TLS key or by a session proof over this connection's exporter.
//
// Two Teapots prove themselves to each other with Peer: session proofs in both directions.
//
// Bytes: docs/formats/session.md and docs/formats/ratls.md.
package ratls
