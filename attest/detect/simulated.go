package detect

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/dstack"
)

// simulatedAgent is a guest agent whose quotes are not under Intel's root. Nobody but the simulator has collateral for them;
// Teapot's hands it out beside the guest API (GET /teapot/collateral/tdx).
type simulatedAgent struct {
	*dstack.Client
	endpoint string
}

var _ attest.CollateralSource = simulatedAgent{}

// maxCollateral is several times what collateral has.
const maxCollateral = 1 << 20

// Collateral asks the simulator.
func (s simulatedAgent) Collateral(ctx context.Context, _ []byte) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	client, base := s.http()
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/teapot/collateral/tdx", nil)
	if err != nil {
		return nil, fmt.Errorf("asking the simulator for collateral: %w", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking the simulator for collateral: %w", err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxCollateral))
	if err != nil || resp.StatusCode != http.StatusOK || !json.Valid(raw) {
		return nil, fmt.Errorf("the simulator at %s has no collateral (status %d): its quotes cannot be verified; teapot simulate hands it out", s.endpoint, resp.StatusCode)
	}
	return raw, nil
}

// http dials the endpoint as the guest agent's client does: an URL whose path is ignored, or a socket.
func (s simulatedAgent) http() (*http.Client, string) {
	if strings.HasPrefix(s.endpoint, "http://") || strings.HasPrefix(s.endpoint, "https://") {
		return &http.Client{Transport: &http.Transport{}}, strings.TrimSuffix(s.endpoint, "/")
	}
	path := strings.TrimPrefix(s.endpoint, "unix:")
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}, "http://simulator"
}
