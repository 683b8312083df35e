package access

import (
	"net/http/httptest"
	"testing"
)

func TestOnlyTheTokenAdmits(t *testing.T) {
	token := NewToken("secret")
	for header, want := range map[string]bool{
		"Bearer secret": true, "Bearer secre": false, "secret": false, "": false, "Bearer ": false, "Basic secret": false,
	} {
		r := httptest.NewRequest("POST", "/", nil)
		r.Header.Set("Authorization", header)
		if got := token.Authorized(r); got != want {
			t.Errorf("Authorization %q: admitted %v, want %v", header, got, want)
		}
	}
}

func TestZeroTokenAdmitsNobody(t *testing.T) {
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("Authorization", "Bearer ")
	if (Token{}).Authorized(r) || NewToken("").Authorized(r) {
		t.Error("the empty token admitted a request")
	}
	if !(Token{}).Authorized(r.WithContext(WithUnixPeer(r.Context()))) {
		t.Error("a unix peer was refused")
	}
}

// TestTheAgentBesideIsNotTheOperator: its socket lets it act, not erase, stop or read what belongs to the owner.
func TestTheAgentBesideIsNotTheOperator(t *testing.T) {
	token := NewToken("secret")
	r := httptest.NewRequest("POST", "/", nil)
	agent := r.WithContext(WithAgentPeer(r.Context()))
	if token.MayAct(r) || !token.MayAct(agent) || token.Authorized(agent) {
		t.Errorf("stranger %v, agent %v, agent as operator %v", token.MayAct(r), token.MayAct(agent), token.Authorized(agent))
	}
	if operator := r.WithContext(WithUnixPeer(r.Context())); !token.MayAct(operator) {
		t.Error("the operator may not act")
	}
}
