package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func newHealthCmd() *cobra.Command {
	var url, simulator string
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Say whether the server on this machine answers (for container health checks)",
		Long:  "Asks GET /v1/ of the server on this machine and exits 0 if it answers as Teapot does, 1 if not. It proves nothing about the agent: teapot verify does.",
		Args:  args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), 4*time.Second)
			defer cancel()
			address, member := strings.TrimSuffix(url, "/")+"/v1/", "version"
			if simulator != "" {
				address, member = strings.TrimSuffix(simulator, "/")+"/prpc/Tappd.Info", "tcb_info"
			}
			if err := probe(ctx, address, member); err != nil {
				return &exitError{code: 1, err: err, hint: "is it running, and is --url (or TEAPOT_ADDR) its address?"} // 1 is what container engines call unhealthy
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&url, "url", "http://"+loopback(os.Getenv("TEAPOT_ADDR")), "address of the server")
	cmd.Flags().StringVar(&simulator, "simulator", "", "ask a simulator at this address instead")
	return cmd
}

// loopback turns a listen address into one to ask on this machine.
func loopback(addr string) string {
	if addr == "" {
		addr = defaultAddr()
	}
	if port, ok := strings.CutPrefix(addr, "0.0.0.0:"); ok {
		return "127.0.0.1:" + port
	}
	if port, ok := strings.CutPrefix(addr, "[::]:"); ok {
		return "127.0.0.1:" + port
	}
	if strings.HasPrefix(addr, ":") {
		return "127.0.0.1" + addr
	}
	return addr
}

func probe(ctx context.Context, url, member string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := healthClient().Do(req)
	if err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	defer resp.Body.Close()
	if secure, ok := strings.CutPrefix(url, "http://"); ok && resp.StatusCode == http.StatusBadRequest {
		return probe(ctx, "https://"+secure, member) // what Go's server says to plain HTTP where TLS is wanted
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	var answer map[string]json.RawMessage
	if resp.StatusCode != http.StatusOK || json.Unmarshal(body, &answer) != nil || answer[member] == nil {
		return fmt.Errorf("%s answered %d, not as teapot does", url, resp.StatusCode)
	}
	return nil
}

// healthClient asks whether something answers; who it is and whether to believe it, teapot verify says.
func healthClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // replaced by nothing: the answer proves nothing and nothing is sent
	return &http.Client{Transport: transport}
}
