package ratls

import (
	"net"
	"net/http"
	"strings"
)

// ContentAddressed serves <app id>.<base> only to those who ask for this app id: the name in the address bar then commits to
// the code. A request for another first label under base is answered 421, so that no connection or cache reuses it for a
// different agent. Other host names pass.
func ContentAddressed(base, appID string, next http.Handler) http.Handler {
	suffix := "." + strings.ToLower(strings.Trim(base, "."))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		label, under := strings.CutSuffix(hostname(r.Host), suffix)
		if under && label != strings.ToLower(appID) {
			problem(w, http.StatusMisdirectedRequest, "another agent's name", "this is "+appID+", not "+label, "ask the name whose first label is the app id you expect")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func hostname(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
