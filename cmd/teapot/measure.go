package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/eventlog"
)

// measurement is the answer of teapot measure. JSON members are stable.
type measurement struct {
	Name        string                    `json:"name"`
	Bytes       int                       `json:"bytes"`
	Runner      string                    `json:"runner"`
	ComposeHash string                    `json:"compose_hash"`
	AppID       string                    `json:"app_id"`
	MRConfigID  string                    `json:"mr_config_id"`
	KeyProvider string                    `json:"key_provider"` // what the file asks for
	Services    []eventlog.Service        `json:"services"`
	Teapot      string                    `json:"teapot_service"`
	AllowList   bool                      `json:"allow_list"`
	Findings    []eventlog.ComposeFinding `json:"findings"`
	Checks      []appraisal.Check         `json:"checks"`
	Events      []expectedEvent           `json:"events"`
	Unmeasured  []string                  `json:"unmeasured"`
	Unpredicted []string                  `json:"unpredicted"`
	Simulator   *simulatorValues          `json:"simulator,omitempty"`
}

// expectedEvent is a runtime event whose payload follows from the file.
type expectedEvent struct {
	Event   string `json:"event"`
	Payload string `json:"payload"` // hex
	Digest  string `json:"digest"`
}

// simulatorValues are the registers of Teapot's simulator for the file.
type simulatorValues struct {
	InstanceID   string    `json:"instance_id"`
	MRTD         string    `json:"mrtd"`
	RTMR         [4]string `json:"rtmr"`
	MRAggregated string    `json:"mr_aggregated"`
}

type measureFlags struct {
	json, strict, simulator bool
	instance                string
}

func newMeasureCmd() *cobra.Command {
	var f measureFlags
	cmd := &cobra.Command{
		Use:   "measure [APP-COMPOSE.json|-]",
		Short: "Compute and explain the values that a TEE measures for an app-compose file",
		Long: `Compute what a dstack guest measures for an app-compose file, from its exact bytes, and say what no measurement covers.
Also applies the compose allow-list of teapot verify. Without a file: the built-in identity of the simulator.`,
		Example: "  teapot measure app-compose.json\n  teapot measure app-compose.json --json | jq -r .compose_hash\n  teapot measure app-compose.json --strict",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, files []string) error {
			return f.run(cmd.InOrStdin(), cmd.OutOrStdout(), files)
		},
	}
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON")
	cmd.Flags().BoolVar(&f.strict, "strict", false, "exit 1 when the file is outside the allow-list")
	cmd.Flags().BoolVar(&f.simulator, "simulator", false, "also print the registers of Teapot's simulator")
	cmd.Flags().StringVar(&f.instance, "instance-id", "", "instance id for the simulator's RTMR3, hex (20 bytes)")
	return cmd
}

func (f measureFlags) run(in io.Reader, out io.Writer, files []string) error {
	raw, err := appComposeBytes(in, files)
	if err != nil {
		return err
	}
	report := eventlog.JudgeCompose(raw)
	if report.App == nil {
		return &exitError{code: 2, err: errors.New(report.Findings[0].What), hint: "give the app-compose.json that is deployed, not the docker-compose.yaml inside it"}
	}
	m := measure(raw, report)
	if f.simulator || len(files) == 0 {
		if m.Simulator, err = simulatorRegisters(raw, f.instance); err != nil {
			return err
		}
	}
	if err := m.print(out, f.json); err != nil {
		return err
	}
	if f.strict && !m.AllowList {
		return &exitError{code: 1}
	}
	return nil
}

func appComposeBytes(in io.Reader, files []string) ([]byte, error) {
	switch {
	case len(files) == 0:
		return sim.DefaultAppCompose(), nil
	case files[0] == "-":
		return io.ReadAll(io.LimitReader(in, 1<<20))
	}
	raw, err := os.ReadFile(files[0])
	if err != nil {
		return nil, fmt.Errorf("reading the app-compose file: %w", err)
	}
	return raw, nil
}

func measure(raw []byte, r eventlog.ComposeReport) measurement {
	config := eventlog.ConfigIDV1(r.Hash)
	m := measurement{
		MRConfigID: hex.EncodeToString(config[:]), Services: append([]eventlog.Service{}, r.Services...), Teapot: r.Teapot, AllowList: len(r.Findings) == 0,
		Findings: append([]eventlog.ComposeFinding{}, r.Findings...), Checks: r.Checks(), Unmeasured: append(platformUnmeasured(), r.Unmeasured...), KeyProvider: askedProvider(r.App),
		Unpredicted: []string{
			"mrtd, rtmr0, rtmr1, rtmr2: firmware, virtual hardware, kernel and OS image; take them from the image's publisher (dstack-mr)",
			"rtmr3: its log also has instance-id, key-provider and, with a KMS, os-image-hash; verify replays the log and compares these events",
		},
	}
	m.Name, m.Bytes, m.Runner = r.App.Name, len(raw), r.App.Runner
	m.ComposeHash, m.AppID = hex.EncodeToString(r.Hash[:]), hex.EncodeToString(r.AppID[:])
	for _, e := range []eventlog.Event{eventlog.NewRuntime("app-id", r.AppID[:]), eventlog.NewRuntime("compose-hash", r.Hash[:])} {
		m.Events = append(m.Events, expectedEvent{e.Name, hex.EncodeToString(e.Payload), hex.EncodeToString(e.Digest[:])})
	}
	return m
}

// askedProvider: the file only asks; event key-provider says what the guest got.
func askedProvider(a *eventlog.AppCompose) string {
	switch {
	case a.KeyProvider != "":
		return a.KeyProvider
	case a.KMSEnabled:
		return "kms"
	case a.LocalKeyProviderEnabled:
		return "local"
	}
	return "none"
}

// platformUnmeasured is what dstack takes from its host without measuring it.
func platformUnmeasured() []string {
	return []string{
		"sys-config of the guest: URLs of KMS, gateway and registry, VM configuration",
		"user_config, instance id seed, disk contents and whether the disk is the newest one",
		"clock and network",
	}
}

func simulatorRegisters(raw []byte, instance string) (*simulatorValues, error) {
	id, err := hex.DecodeString(instance)
	if err != nil || len(id) != 0 && len(id) != 20 {
		return nil, &exitError{code: 64, err: errors.New("--instance-id wants 20 bytes in hex")}
	}
	m, err := sim.Measures(raw, id)
	if err != nil {
		return nil, err
	}
	aggregated := m.Aggregated()
	v := &simulatorValues{InstanceID: instance, MRTD: hex.EncodeToString(m.MRTD[:]), MRAggregated: hex.EncodeToString(aggregated[:])}
	for i, r := range m.RTMR {
		v.RTMR[i] = hex.EncodeToString(r[:])
	}
	return v, nil
}

func (m measurement) print(out io.Writer, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(m)
	}
	p := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
	p("app-compose       %q, %d bytes, runner %s, keys from %s", m.Name, m.Bytes, m.Runner, m.KeyProvider)
	p("compose hash      %s", m.ComposeHash)
	p("                  SHA-256 of exactly these bytes; another indent is another hash")
	p("app id            %s", m.AppID)
	p("                  first 20 bytes of it; a KMS contract may give another")
	p("mr_config_id      %s", m.MRConfigID)
	p("                  version 1, dstack 0.5.7 and later; older guests have zeros")
	p("\nevents in RTMR3 that follow from the file")
	for _, e := range m.Events {
		p("  %-14s  %s\n  %-14s  digest %s", e.Event, e.Payload, "", e.Digest)
	}
	m.printRules(p)
	m.printSimulator(p)
	p("\nnot predicted here")
	for _, line := range m.Unpredicted {
		p("  - %s", line)
	}
	p("\nunmeasured: the host can choose these")
	for _, line := range m.Unmeasured {
		p("  - %s", line)
	}
	return nil
}

func (m measurement) printRules(p func(string, ...any)) {
	p("\ncontainers")
	for _, s := range m.Services {
		role := ""
		if s.Name == m.Teapot {
			role = "  (reaches the platform's sockets: this must be Teapot)"
		}
		p("  %-14s  %s%s", s.Name, s.Image, role)
	}
	p("\ncompose allow-list")
	for _, c := range m.Checks {
		p("  %-11s %-22s %s", c.Outcome, c.ID, c.Detail)
		if c.Remedy != "" {
			p("  %-11s %-22s %s", "", "", "to do: "+c.Remedy)
		}
	}
}

func (m measurement) printSimulator(p func(string, ...any)) {
	if m.Simulator == nil {
		return
	}
	p("\nSIMULATED: registers of Teapot's simulator with instance id %q", m.Simulator.InstanceID)
	p("  mrtd            %s", m.Simulator.MRTD)
	for i, r := range m.Simulator.RTMR {
		p("  rtmr%d           %s", i, r)
	}
	p("  mr_aggregated   %s", m.Simulator.MRAggregated)
}
