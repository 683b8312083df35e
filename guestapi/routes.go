package guestapi

import (
	"context"
	"net/http"
	"strings"
)

// method is one RPC. name is bare: policies use it for all versions and spellings.
type method struct {
	name string
	call func(context.Context, *Server, request) (any, error)
}

// undecodable is a body that could not be read: what follows it on the connection cannot be trusted to be a request.
type undecodable struct{ error }

// rpc wraps a typed handler.
func rpc[Q any](name string, handle func(*Server, context.Context, *Q) (any, error)) method {
	return method{name, func(ctx context.Context, s *Server, r request) (any, error) {
		var q Q
		if err := r.decode(&q); err != nil {
			return nil, &undecodable{err}
		}
		return handle(s, ctx, &q)
	}}
}

// tappd, guest, worker and guestV1 are the services of the protocol; a fresh table per call keeps them out of package state.
func tappd(name string) *method {
	switch name {
	case "DeriveKey":
		return ref(rpc(name, (*Server).deriveKey))
	case "DeriveK256Key":
		return ref(rpc(name, (*Server).deriveK256Key))
	case "TdxQuote":
		return ref(rpc(name, (*Server).tdxQuote))
	case "RawQuote":
		return ref(rpc(name, (*Server).rawQuote))
	case "Info":
		return ref(rpc(name, (*Server).info))
	}
	return worker(name)
}

func worker(name string) *method {
	switch name {
	case "Info":
		return ref(rpc(name, (*Server).workerInfo))
	case "Version":
		return ref(rpc(name, (*Server).version))
	case "GetAttestationForAppKey":
		return ref(rpc(name, (*Server).attestAppKey))
	}
	return nil
}

func guest(name string) *method {
	switch name {
	case "GetTlsKey":
		return ref(rpc(name, (*Server).getTLSKey))
	case "GetKey":
		return ref(rpc(name, (*Server).getKey))
	case "GetQuote":
		return ref(rpc(name, (*Server).getQuote))
	case "EmitEvent":
		return ref(rpc(name, (*Server).emitEvent))
	case "Attest":
		return ref(rpc(name, (*Server).attest))
	case "Sign":
		return ref(rpc(name, (*Server).sign))
	case "Verify":
		return ref(rpc(name, (*Server).verify))
	case "Info":
		return ref(rpc(name, (*Server).info))
	case "Version":
		return ref(rpc(name, (*Server).version))
	}
	return nil
}

func guestV1(name string) *method {
	switch name {
	case "IssueCert":
		return ref(rpc(name, (*Server).issueCert))
	case "GetKey":
		return ref(rpc(name, (*Server).getKeyV1))
	case "Attest":
		return ref(rpc(name, (*Server).attestV1))
	case "AttestGpu":
		return ref(rpc(name, (*Server).attestGPU))
	case "Info":
		return ref(rpc(name, (*Server).infoV1))
	case "Version":
		return ref(rpc(name, (*Server).version))
	case "Health":
		return ref(rpc(name, (*Server).health))
	}
	return nil
}

func ref(m method) *method { return &m }

// route finds the method of a path. Every path works on every listener, because published clients mix them up.
// missing is the status for an unknown method: 400 in v0 (0.4 to 0.5), 404 in v1 and outside all mounts.
func route(path string) (m *method, name string, missing int) {
	path = strings.TrimPrefix(path, "/")
	legacy := false
	if rest, ok := strings.CutPrefix(path, "prpc/"); ok {
		path, legacy = rest, true
	}
	if name, ok := strings.CutPrefix(path, "v1/"); ok {
		name = strings.TrimPrefix(strings.TrimPrefix(name, "DstackGuest."), "Worker.")
		if legacy && name == "Info" {
			return ref(rpc(name, (*Server).workerInfoV1)), name, 0
		}
		return guestV1(name), name, http.StatusNotFound
	}
	name = strings.TrimPrefix(path, "v0/")
	if strings.Contains(name, "/") {
		return nil, name, http.StatusNotFound
	}
	return routeV0(name, legacy)
}

func routeV0(name string, legacy bool) (m *method, bare string, missing int) {
	service, bare, dotted := strings.Cut(name, ".")
	if !dotted {
		bare = name
	}
	switch {
	case dotted && service == "Tappd":
		m = tappd(bare)
	case dotted && service == "Worker":
		m = worker(bare)
	case dotted && service == "DstackGuest":
		m = guest(bare)
	case dotted:
		bare = name
	default:
		if m = guest(bare); m == nil && legacy {
			m = tappd(bare)
		}
	}
	return m, bare, http.StatusBadRequest
}
