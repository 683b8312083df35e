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
