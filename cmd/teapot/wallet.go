package main

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/agent/character"
	"github.com/teapot-tee/teapot/client"
	"github.com/teapot-tee/teapot/server/wallet"
)

func newWalletCmd() *cobra.Command {
	return newGroup(&cobra.Command{
		Use:   "wallet",
		Short: "Show an agent's wallets, or sign a message with one",
	}, newWalletShowCmd(), newWalletSignCmd())
}

// walletFlags are what show and sign share.
type walletFlags struct {
	agent, data, derivation, salt, token string
	offline, json                        bool
}

func (f *walletFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.agent, "agent", "", "agent `UUID` or its name; needed when there are several")
	flags.StringVar(&f.data, "data", defaultData(), "data directory")
	flags.BoolVar(&f.offline, "offline", false, "without a running agent, for a data directory of the simulator only")
	flags.StringVar(&f.derivation, "derivation", "", "with --offline: teapot/wallet/v1, eliza/0.1.7 or eliza/0.1.9")
	flags.StringVar(&f.salt, "salt", os.Getenv("WALLET_SECRET_SALT"), "with --offline: salt of eliza/0.1.9 (default $WALLET_SECRET_SALT)")
	flags.Lookup("salt").DefValue = "" // help prints defaults
	flags.BoolVar(&f.json, "json", false, "print JSON")
}

func newWalletShowCmd() *cobra.Command {
	var f walletFlags
	cmd := &cobra.Command{
		Use:   "show [URL]",
		Short: "Show addresses, derivation and weaknesses",
		Long: `Show an agent's wallets. The addresses are what the server says; "teapot verify URL" proves which ones are in the attested boot statement.
With --offline, derive them from the simulator's seed in --data: no agent needs to run.`,
		Example: "  teapot wallet show\n  teapot wallet show http://127.0.0.1:3000 --json\n  teapot wallet show --offline --data teapot-data --derivation eliza/0.1.9 --salt secret_salt",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE:    func(cmd *cobra.Command, given []string) error { return f.show(cmd, given) },
	}
	f.register(cmd)
	return cmd
}

func (f *walletFlags) show(cmd *cobra.Command, given []string) error {
	list, err := f.lines(cmd, given)
	if err != nil {
		return err
	}
	if f.json {
		enc := json.NewEncoder(cmd.OutOrStdout())
		enc.SetIndent("", "  ")
		return enc.Encode(map[string]any{"agent": f.agent, "simulated": f.offline, "wallets": list})
	}
	printWallets(foreign{cmd.OutOrStdout()}, list)
	return nil
}

func (f *walletFlags) lines(cmd *cobra.Command, given []string) ([]client.Wallet, error) {
	if !f.offline {
		c, err := f.connect(cmd, given)
		if err != nil {
			return nil, err
		}
		list, err := c.Wallets(cmd.Context(), f.agent)
		return list, hinted(err)
	}
	opened, err := f.openOffline(cmd)
	if err != nil {
		return nil, err
	}
	var list []client.Wallet
	for _, w := range opened {
		list = append(list, client.Wallet(wallet.LineOf(w)))
	}
	return list, nil
}

func printWallets(out io.Writer, list []client.Wallet) {
	if len(list) == 0 {
		fmt.Fprintln(out, "the agent has no wallets")
	}
	for _, w := range list {
		fmt.Fprintf(out, "%-7s %s\n        derivation %s\n", w.Chain, w.Address, w.Derivation)
		if len(w.KeyChain) > 0 {
			fmt.Fprintf(out, "        the platform signed the key (%d links)\n", len(w.KeyChain))
		}
		if w.Shared {
			fmt.Fprintln(out, "        SHARED with callers of the guest API")
		}
		for _, warning := range w.Warnings {
			fmt.Fprintf(out, "        WEAK: %s\n", warning)
		}
	}
}

// connect finds the agent of a running process. It sends the token to this machine only.
func (f *walletFlags) connect(cmd *cobra.Command, given []string) (*client.Client, error) {
	address := "http://" + defaultAddr()
	if len(given) > 0 {
		address = given[0]
	}
	c, err := client.New(address, client.Options{})
	if err != nil {
		return nil, &exitError{code: 64, err: err}
	}
	if c.Loopback() && f.token != "" {
		if c, err = client.New(address, client.Options{Token: f.token}); err != nil {
			return nil, err
		}
	}
	f.agent, err = oneAgent(cmd, c, f.agent)
	return c, hinted(err)
}

type signFlags struct {
	walletFlags
	chain, message, file string
}

func newWalletSignCmd() *cobra.Command {
	var f signFlags
	cmd := &cobra.Command{
		Use:   "sign [URL] --chain CHAIN (--message TEXT | --file FILE|-)",
		Short: "Sign a text for people (Ed25519 on Solana, EIP-191 on EVM); never a transaction",
		Long: `Sign a text with an agent's wallet. The request goes to the running agent's gate, which records intent and result in its log and
refuses what could be a transaction. It needs the operator's token: $TEAPOT_TOKEN, or the file "token" in --data.
With --offline it signs from the simulator's seed, without a log; real platforms refuse that.`,
		Example: "  teapot wallet sign --chain evm --message 'I am Eliza'\n  echo -n hello | teapot wallet sign --chain solana --file - --json",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE:    func(cmd *cobra.Command, given []string) error { return f.sign(cmd, given) },
	}
	f.register(cmd)
	cmd.Flags().StringVar(&f.chain, "chain", "", "solana or evm")
	cmd.Flags().StringVar(&f.message, "message", "", "the `TEXT`")
	cmd.Flags().StringVar(&f.file, "file", "", "read the text from `FILE`, - for standard input")
	return cmd
}

func (f *signFlags) sign(cmd *cobra.Command, given []string) error {
	message, err := f.text(cmd.InOrStdin())
	if err != nil {
		return err
	}
	var s client.WalletSignature
	if f.offline {
		s, err = f.signOffline(cmd, message)
	} else {
		s, err = f.signOnline(cmd, given, message)
	}
	if err != nil {
		return err
	}
	if f.json {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(s)
	}
	fmt.Fprintln(cmd.OutOrStdout(), s.Signature)
	fmt.Fprintf(cmd.ErrOrStderr(), "signed by %s (%s, %s)\n", s.Address, s.Chain, s.Scheme)
	if !f.offline {
		fmt.Fprintf(cmd.ErrOrStderr(), "on the record: entries %d (intent) and %d (result) of agent %s\n", s.Intent, s.Result, s.Agent)
	}
	return nil
}

func (f *signFlags) text(in io.Reader) (string, error) {
	switch {
	case f.chain != "solana" && f.chain != "evm":
		return "", &exitError{code: 64, err: fmt.Errorf("--chain %q: want solana or evm", f.chain)}
	case (f.message == "") == (f.file == ""):
		return "", &exitError{code: 64, err: errors.New("give the text with --message TEXT, or with --file FILE")}
	case f.file == "":
		return f.message, nil
	case f.file == "-":
		raw, err := io.ReadAll(io.LimitReader(in, 1<<20))
		return string(raw), err
	}
	raw, err := os.ReadFile(f.file)
	return string(raw), err
}

func (f *signFlags) signOnline(cmd *cobra.Command, given []string, message string) (client.WalletSignature, error) {
	token, err := operatorToken(f.data)
	if err != nil {
		return client.WalletSignature{}, err
	}
	f.token = token
	c, err := f.connect(cmd, given)
	if err != nil {
		return client.WalletSignature{}, err
	}
	s, err := c.SignMessage(cmd.Context(), f.agent, f.chain, message)
	return s, hinted(err)
}

// operatorToken is $TEAPOT_TOKEN or the file that teapot run keeps.
func operatorToken(data string) (string, error) {
	if token := os.Getenv("TEAPOT_TOKEN"); token != "" {
		return token, nil
	}
	path := filepath.Join(data, "token")
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", &exitError{code: 2, err: fmt.Errorf("reading the operator's token: %w", err), hint: "give the agent's --data directory, or set TEAPOT_TOKEN"}
	}
	return strings.TrimSpace(string(raw)), nil
}

// signOffline signs with the simulator's keys; nothing records it.
func (f *signFlags) signOffline(cmd *cobra.Command, message string) (client.WalletSignature, error) {
	if err := wallet.Textual(message); err != nil {
		return client.WalletSignature{}, &exitError{code: 1, err: err, hint: "only text is signed"}
	}
	opened, err := f.openOffline(cmd)
	if err != nil {
		return client.WalletSignature{}, err
	}
	for _, w := range opened {
		if w.Chain == f.chain {
			scheme := map[bool]string{true: "eip191", false: "ed25519"}[w.EVM != nil]
			return client.WalletSignature{Agent: f.agent, Chain: w.Chain, Address: w.Address, Scheme: scheme, Signature: "0x" + hex.EncodeToString(w.SignMessage([]byte(message)))}, nil
		}
	}
	return client.WalletSignature{}, fmt.Errorf("no wallet on %s", f.chain)
}

// agentOrDefault is the built-in character's.
func (f *walletFlags) agentOrDefault() string { return cmp.Or(f.agent, character.Default(nil).ID) }
