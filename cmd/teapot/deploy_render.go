package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/agent/character"
	"github.com/teapot-tee/teapot/deploy/appcompose"
	"github.com/teapot-tee/teapot/eventlog"
)

type renderFlags struct {
	name, compose, image, teapotImage, agent, out string
	character                                     string
	env, ports, command                           []string
	local, gateway, launchToken                   bool
}

func newDeployRenderCmd() *cobra.Command {
	var f renderFlags
	cmd := &cobra.Command{
		Use:   "render",
		Short: "Make app-compose.json by exact bytes, its hashes, and the policy for verify",
		Long: `One of: --character FILE --teapot-image IMG: Teapot's own agent, the character (without secrets) in the measured file itself;
--compose FILE: a compose file that runs Teapot (see deploy/compose/production.yaml);
--image IMG --teapot-image IMG: any container (Eliza in Node, a Python agent) with Teapot beside it. The platform's sockets go
into Teapot only; the container gets Teapot's guest API. Variables named TEAPOT_… go to Teapot, all others to the container.

Writes into -o DIR: docker-compose.yaml, app-compose.json (upload exactly these bytes), policy.toml (give it to readers) and, with
--launch-token, launch-token (secret; the environment must carry it as TEAPOT_LAUNCH_TOKEN).`,
		Example: "  teapot deploy render --name my-agent --character x.character.json --teapot-image docker.io/me/teapot@sha256:… --env OPENAI_API_KEY -o out\n" +
			"  teapot deploy render --name my-agent --compose deploy/compose/production.yaml --env WALLET_SECRET_SALT --env REDPILL_API_KEY -o out",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	cmd.Flags().StringVar(&f.name, "name", "teapot-agent", "app name, 5 to 63 characters")
	cmd.Flags().StringVar(&f.character, "character", "", "character file of Teapot's own agent; becomes part of the measured file")
	cmd.Flags().StringVar(&f.compose, "compose", "", "compose file, taken byte for byte")
	cmd.Flags().StringVar(&f.image, "image", "", "container to wrap, by digest")
	cmd.Flags().StringVar(&f.teapotImage, "teapot-image", "", "Teapot's image, by digest (make image prints it)")
	cmd.Flags().StringVar(&f.agent, "agent", "agent", "name of the wrapped agent in Teapot's log")
	cmd.Flags().StringArrayVar(&f.env, "env", nil, "name of a variable that arrives encrypted (repeat)")
	cmd.Flags().StringArrayVar(&f.ports, "port", nil, "published port of the wrapped container, HOST:GUEST (repeat)")
	cmd.Flags().StringArrayVar(&f.command, "command", nil, "command of the wrapped container, one word each (repeat)")
	cmd.Flags().BoolVar(&f.local, "local-keys", false, "keys from the machine's local key provider instead of a KMS")
	cmd.Flags().BoolVar(&f.gateway, "gateway", true, "reachable through the dstack gateway")
	cmd.Flags().BoolVar(&f.launchToken, "launch-token", false, "bind the encrypted environment to this rendering (dstack 0.6)")
	cmd.Flags().StringVarP(&f.out, "out", "o", "deploy-out", "directory to write into")
	return cmd
}

func (f renderFlags) run(cmd *cobra.Command) error {
	var token []byte
	if f.launchToken {
		token = []byte(hexToken())
		f.env = append(f.env, "TEAPOT_LAUNCH_TOKEN")
	}
	compose, err := f.composeFile()
	if err != nil {
		return &exitError{code: 64, err: err}
	}
	unreached, err := appcompose.Unreached(compose, f.env)
	if err != nil {
		return &exitError{code: 64, err: err}
	}
	if len(unreached) > 0 {
		return &exitError{code: 64, err: fmt.Errorf("no service takes %s from the environment: the value would reach nobody", strings.Join(unreached, ", ")), hint: "add \"- NAME\" to the environment of the service that wants it"}
	}
	options := appcompose.Options{Name: f.name, Compose: compose, AllowedEnvs: f.env, KMS: !f.local, Gateway: f.gateway, LaunchToken: token}
	app, err := appcompose.Render(options)
	if err != nil {
		return &exitError{code: 64, err: err}
	}
	if err := f.write(compose, app, token); err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "app-compose.json  %d bytes\ncompose hash      %s\napp id            %s\n", len(app.Bytes), app.HashHex(), app.ID())
	fmt.Fprintf(out, "written to        %s\n", f.out)
	return explainFindings(cmd, app.Bytes)
}

func (f renderFlags) composeFile() ([]byte, error) {
	given := 0
	for _, source := range []string{f.compose, f.image, f.character} {
		if source != "" {
			given++
		}
	}
	switch {
	case given > 1:
		return nil, errors.New("--character, --compose and --image exclude each other")
	case f.compose != "":
		return os.ReadFile(f.compose)
	case f.image != "":
		return appcompose.Wrap{Image: f.image, Teapot: f.teapotImage, Agent: f.agent, Ports: f.ports, Env: f.env, Command: f.command}.Compose()
	case f.character != "":
		public, err := publicCharacter(f.character)
		if err != nil {
			return nil, err
		}
		return appcompose.Agent{Teapot: f.teapotImage, Character: public, Env: f.env, Ports: f.ports}.Compose()
	}
	return nil, errors.New("what should run? --character FILE --teapot-image IMG, or --compose FILE, or --image IMG --teapot-image IMG")
}

// publicCharacter reads a character as the agent will. Its secrets would stand in a public file, so there must be none.
func publicCharacter(path string) ([]byte, error) {
	c, err := character.Load(path, character.Options{})
	if err != nil {
		return nil, err
	}
	public := c.Public()
	if whole := c.Document.Append(nil); !bytes.Equal(whole, public) {
		return nil, fmt.Errorf("%s holds secrets in its settings, and the measured file is public: take them out and name them with --env (OPENAI_API_KEY, or CHARACTER.%s.KEY)", path, c.Name)
	}
	return public, nil
}

func (f renderFlags) write(compose []byte, app appcompose.App, token []byte) error {
	if err := os.MkdirAll(f.out, 0o755); err != nil {
		return err
	}
	files := map[string][]byte{"docker-compose.yaml": compose, "app-compose.json": app.Bytes, "policy.toml": app.Policy(f.name)}
	if token != nil {
		files["launch-token"] = token
	}
	for name, body := range files {
		if err := os.WriteFile(filepath.Join(f.out, name), body, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func hexToken() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// explainFindings says what every reader of this app will be told: outside the allow-list the verdict is contraindicated unless the
// reader's policy accepts this exact file by hash.
func explainFindings(cmd *cobra.Command, appCompose []byte) error {
	findings := eventlog.ComposeFindings(appCompose)
	for _, line := range findings {
		fmt.Fprintln(cmd.ErrOrStderr(), "readers will object:", line)
	}
	if len(findings) > 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "teapot: hint: mend the compose file, or readers must accept it by hash (accept_compose_by_hash in their policy)")
	}
	return nil
}
