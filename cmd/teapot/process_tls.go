package main

import (
	"context"
	"crypto/tls"
	"slices"
	"time"

	"github.com/teapot-tee/teapot/ratls"
)

func (r *running) makeTLS(ctx context.Context) (spki []byte, err error) {
	key, spki, err := ratls.NewKey()
	if err != nil {
		return nil, err
	}
	names := slices.Concat(r.flags.names, r.flags.public.names)
	if len(names) == 0 {
		names = []string{"localhost"}
	}
	quoter := func(ctx context.Context, rd [64]byte) ([]byte, error) {
		q, err := r.attester.Quote(ctx, rd)
		return q.Raw, err
	}
	cert, err := ratls.Certificate(ctx, key, names, quoter, time.Now())
	if err != nil {
		return nil, err
	}
	r.tls, r.leaf = ratls.ServerConfig(cert), cert.Certificate[0]
	r.publicTLS(key, cert)
	return spki, nil
}

func (r *running) shownLeaf() func(*tls.ConnectionState) []byte {
	if r.leaf == nil {
		return nil
	}
	if r.public != nil {
		return r.public.Leaf
	}
	return func(*tls.ConnectionState) []byte { return r.leaf }
}
