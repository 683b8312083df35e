package main

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/client"
	"github.com/teapot-tee/teapot/deploy/appcompose"
	"github.com/teapot-tee/teapot/deploy/cloud"
	"github.com/teapot-tee/teapot/deploy/sealedenv"
)

// target says which platform; exactly one of the two.
type target struct {
	vmm    string
	phala  bool
	api    string
	dryRun bool
}

func (t *target) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&t.vmm, "vmm", "", "dstack VMM: http URL or unix:/path/vmm.sock (token in DSTACK_VMM_TOKEN)")
	cmd.Flags().BoolVar(&t.phala, "phala", false, "Phala Cloud (API key in PHALA_CLOUD_API_KEY)")
	cmd.Flags().StringVar(&t.api, "api", cloud.PhalaAPI, "Phala Cloud's address (PHALA_CLOUD_API_PREFIX)")
	cmd.Flags().BoolVar(&t.dryRun, "dry-run", false, "print the requests, send nothing")
}

func (t target) platform(cmd *cobra.Command) (cloud.Platform, error) {
	api := cloud.API{Header: map[string]string{}}
	if t.dryRun {
		api.DryRun = cmd.OutOrStdout()
	}
	switch {
	case t.phala == (t.vmm != ""):
		return nil, &exitError{code: 64, err: errors.New("say where: either --vmm ADDRESS or --phala")}
	case t.phala:
		api.Base = t.api
		if base := os.Getenv("PHALA_CLOUD_API_PREFIX"); base != "" && !cmd.Flags().Changed("api") {
			api.Base = base
		}
		key := os.Getenv("PHALA_CLOUD_API_KEY")
		if key == "" && !t.dryRun {
			return nil, &exitError{code: 64, err: errors.New("PHALA_CLOUD_API_KEY is not set"), hint: "make a key in the cloud's dashboard; secrets never go on the command line"}
		}
		api.Header["X-API-Key"], api.Header["X-Phala-Version"] = key, cloud.PhalaVersion
		return cloud.Phala{API: api}, nil
	}
	api.Base = t.vmm
	if token := os.Getenv("DSTACK_VMM_TOKEN"); token != "" {
		api.Header["Authorization"] = "Bearer " + token
	}
	return cloud.VMM{API: api}, nil
}

type upFlags struct {
	target
	dir, name, osImage, kmsRoot, envFile string
	url                                  string
	vcpu, memory, disk                   int
	wait                                 time.Duration
	asJSON                               bool
}

func newDeployUpCmd() *cobra.Command {
	var f upFlags
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start what render made",
		Long: `Compares the compose hash the platform computes with the rendered bytes, seals the environment on this machine to the KMS's key
(whose signature must come from --kms-root), starts, waits until it runs, and compares
the compose hash in the agent's quote. Values come from --env-file (KEY=VALUE lines).
Afterwards the command to verify is printed: the platform's word is not evidence.`,
		Example: "  teapot deploy up --vmm unix:/run/vmm.sock --os-image dstack-0.5.5 --dir out --kms-root 02ab… --env-file .env",
		Args:    args(cobra.NoArgs),
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&f.dir, "dir", "deploy-out", "directory that render wrote")
	cmd.Flags().StringVar(&f.name, "name", "", "name of the instance (default: the name in app-compose.json)")
	cmd.Flags().StringVar(&f.osImage, "os-image", "", "OS image of the guest, as dstack-0.5.5 (a VMM needs it)")
	cmd.Flags().StringVar(&f.kmsRoot, "kms-root", "", "pinned secp256k1 root key of the KMS, 33 bytes hex (needed for secrets)")
	cmd.Flags().StringVar(&f.envFile, "env-file", "", "KEY=VALUE lines to seal")
	cmd.Flags().IntVar(&f.vcpu, "vcpu", 2, "virtual CPUs")
	cmd.Flags().IntVar(&f.memory, "memory", 4096, "MB of memory")
	cmd.Flags().IntVar(&f.disk, "disk", 50, "GB of disk")
	cmd.Flags().StringVar(&f.url, "url", "", "address of the agent, where the platform does not say it: its quote is compared with what was rendered")
	cmd.Flags().DurationVar(&f.wait, "wait", 10*time.Minute, "how long to wait until it runs; 0 does not wait")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
	return cmd
}

func (f upFlags) run(cmd *cobra.Command) error {
	platform, err := f.platform(cmd)
	if err != nil {
		return err
	}
	request, err := f.request(cmd)
	if err != nil {
		return err
	}
	instance, err := platform.Deploy(cmd.Context(), request)
	if errors.Is(err, cloud.ErrDryRun) {
		fmt.Fprintln(cmd.ErrOrStderr(), "dry run: nothing was sent")
		return nil
	}
	if err != nil {
		return err
	}
	status, err := f.await(cmd, platform, instance)
	if err != nil {
		return err
	}
	instance.URL = cmp.Or(f.url, instance.URL, status.URL)
	if err := f.compare(cmd, instance, request.App); err != nil {
		return err
	}
	if f.asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(instance)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "instance      %s\napp id        %s\ncompose hash  %s\nurl           %s\n", instance.ID, instance.AppID, instance.ComposeHash, instance.URL)
	fmt.Fprintf(cmd.OutOrStdout(), "now check it: teapot verify %s --policy %s\n", orPlaceholder(instance.URL), filepath.Join(f.dir, "policy.toml"))
	return nil
}

// compare asks the running agent for its evidence, as long as --wait lasts, and compares the compose hash in its quote.
func (f upFlags) compare(cmd *cobra.Command, instance cloud.Instance, app appcompose.App) error {
	if instance.URL == "" || f.wait <= 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "the quote was not compared: the platform names no address; give one with --url, or verify")
		return nil
	}
	c, err := client.New(instance.URL, client.Options{})
	if err != nil {
		return err
	}
	deadline := time.Now().Add(f.wait)
	for {
		document, err := c.Evidence(cmd.Context(), "")
		if err == nil {
			if err := cloud.CompareQuoted(document, app); err != nil {
				return &exitError{code: 1, err: err}
			}
			fmt.Fprintln(cmd.ErrOrStderr(), "the running guest's quote carries the rendered compose hash")
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the agent at %s did not show its evidence: %w", instance.URL, err)
		}
		select {
		case <-cmd.Context().Done():
			return cmd.Context().Err()
		case <-time.After(2 * time.Second):
		}
	}
}

func orPlaceholder(url string) string {
	if url == "" {
		return "https://ADDRESS"
	}
	return url
}

func (f upFlags) request(cmd *cobra.Command) (cloud.Request, error) {
	raw, err := os.ReadFile(filepath.Join(f.dir, "app-compose.json"))
	if err != nil {
		return cloud.Request{}, &exitError{code: 2, err: err, hint: "run teapot deploy render first"}
	}
	app, err := appcompose.FromBytes(raw)
	if err != nil {
		return cloud.Request{}, err
	}
	if f.vmm != "" && f.osImage == "" && !f.dryRun {
		return cloud.Request{}, &exitError{code: 64, err: errors.New("a VMM starts no guest without an OS image"), hint: "--os-image NAME, as the VMM lists it; its measurements belong into policy.toml"}
	}
	env, err := f.environment()
	if err != nil {
		return cloud.Request{}, err
	}
	missing, err := app.CheckEnv(sealedenv.Names(env))
	if err != nil {
		return cloud.Request{}, &exitError{code: 64, err: err, hint: "name it at teapot deploy render --env, which changes the compose hash, or take it out of --env-file"}
	}
	if len(missing) > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "no value for %s: the agent starts without\n", strings.Join(missing, ", "))
	}
	r := cloud.Request{
		Name: cmp.Or(f.name, app.Name()), App: app, Env: env, Image: f.osImage, VCPU: f.vcpu, MemoryMB: f.memory, DiskGB: f.disk, Now: time.Now(),
		Ports:    []cloud.Port{{Host: 3000, Guest: 3000}},
		Progress: func(line string) { fmt.Fprintln(cmd.ErrOrStderr(), line) },
	}
	if f.kmsRoot != "" {
		if r.KMSRoot, err = hex.DecodeString(f.kmsRoot); err != nil || len(r.KMSRoot) != 33 {
			return r, &exitError{code: 64, err: errors.New("--kms-root: 66 hex digits wanted (a compressed secp256k1 key)")}
		}
	}
	return r, nil
}

// environment reads the file and adds the launch token that render made.
func (f upFlags) environment() ([]sealedenv.Variable, error) {
	var env []sealedenv.Variable
	if f.envFile != "" {
		raw, err := os.ReadFile(f.envFile)
		if err != nil {
			return nil, err
		}
		for n, line := range strings.Split(string(raw), "\n") {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			key, value, ok := strings.Cut(line, "=")
			if !ok {
				return nil, fmt.Errorf("%s line %d: KEY=VALUE wanted", f.envFile, n+1)
			}
			env = append(env, sealedenv.Variable{Key: key, Value: value})
		}
	}
	token, err := os.ReadFile(filepath.Join(f.dir, "launch-token"))
	if errors.Is(err, os.ErrNotExist) {
		return env, nil
	}
	return append(env, sealedenv.Variable{Key: "TEAPOT_LAUNCH_TOKEN", Value: string(token)}), err
}

func (f upFlags) await(cmd *cobra.Command, p cloud.Platform, instance cloud.Instance) (cloud.Status, error) {
	if f.wait <= 0 {
		return cloud.Status{}, nil
	}
	deadline, last := time.Now().Add(f.wait), ""
	for {
		status, err := p.Status(cmd.Context(), instance.ID)
		if err != nil {
			return status, err
		}
		if line := strings.TrimSpace(status.State + " " + status.Progress); line != last {
			fmt.Fprintln(cmd.ErrOrStderr(), line)
			last = line
		}
		switch {
		case status.Error != "":
			return status, fmt.Errorf("the guest did not start: %s", status.Error)
		case status.Running():
			return status, nil
		case time.Now().After(deadline):
			return status, fmt.Errorf("not running after %s: %s; look at teapot deploy logs %s", f.wait, last, instance.ID)
		}
		select {
		case <-cmd.Context().Done():
			return status, cmd.Context().Err()
		case <-time.After(2 * time.Second):
		}
	}
}
