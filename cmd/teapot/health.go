package main

import (
	"context"
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
		Long:  "Asks GET /v1/ of the server on this machine and exits 0 if it answers as Teapot does, 2 if not. It proves nothing about the agent: teapot verify does.",
		Args:  args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), 4*time.Second)
			defer cancel()
			if simulator != "" {
				return probe(ctx, strings.TrimSuffix(simulator, "/")+"/prpc/Tappd.Info", "tcb_info")
			}
			return probe(ctx, strings.TrimSuffix(url, "/")+"/v1/", "version")
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
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	defer resp.Body.Close()
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
