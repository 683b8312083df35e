package boot

import (
	"fmt"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/tlog"
)

// WeakestSafe is the policy of a process that was told nothing: wallets never spend, no witnesses, nobody erases, no guest API.
func WeakestSafe() evidence.Policies {
	return evidence.Policies{
		Spending: []evidence.Spending{}, Witness: evidence.Witness{Keys: []string{}}, Erasure: evidence.Erasure{Requesters: []string{}},
		GuestAPI: []evidence.GuestAPI{},
	}
}

// erasurePolicy turns the statement's words into the log's: both lists are tlog's.
func erasurePolicy(e evidence.Erasure) (actionlog.ErasurePolicy, error) {
	var p actionlog.ErasurePolicy
	for _, word := range e.Requesters {
		var r tlog.Requester
		if err := r.UnmarshalText([]byte(word)); err != nil || r == tlog.RequesterNone {
			return p, fmt.Errorf("erasure policy: unknown requester %q", word)
		}
		p.Requesters = append(p.Requesters, r)
	}
	return p, nil
}
