package tee

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strings"

	"github.com/teapot-tee/teapot/agent/plugin"
)

func transfer() plugin.Action {
	return plugin.Action{
		Name: "TRANSFER", Similes: []string{"SEND_TOKENS", "TOKEN_TRANSFER", "SEND_SOL", "SEND_ETH", "PAY", "MOVE_TOKENS"},
		Description: "Send SOL or ETH of the agent's own to an address, if the spending policy allows it.",
		Validate:    hasWallet, SuppressInitialMessage: true,
		Handler: pay,
		Examples: [][]plugin.Example{{
			{User: "{{user1}}", Text: "Send 0.01 SOL to 9jW8FPr6BSSsemWPV22UUCzSqkVdTp6HTyPqeqyuBbCa"},
			{User: "{{user2}}", Text: "Let me see whether my policy allows that.", Action: "TRANSFER"},
		}},
	}
}

// order is what the person wrote: an amount, a currency and an address. It is read from the person's own message, not from
// the model's words, so that the model cannot put another address in its place.
var order = regexp.MustCompile(`(?i)([0-9]+(?:\.[0-9]+)?)\s*(sol|eth|lamports?|wei)\b[^\n]{0,80}?\b(0x[0-9a-f]{40}|[1-9A-HJ-NP-Za-km-z]{32,44})\b`)

func pay(ctx context.Context, c plugin.Call) error {
	t, err := Order(c.Message.Text)
	if err != nil {
		return err
	}
	id, err := c.Runtime.Transfer(ctx, t)
	if err != nil {
		return err
	}
	amount := Format(plugin.Amount{Chain: t.Chain, Units: t.Units, Decimals: decimals(t.Chain), Symbol: symbol(t.Chain)})
	c.Reply(plugin.Content{Text: fmt.Sprintf("Sent %s to %s. Transaction: %s", amount, t.To, id), Action: "TRANSFER"})
	return nil
}

// Order reads "send 0.5 SOL to <address>". Everything that is not exactly one such order is refused.
func Order(text string) (plugin.Transfer, error) {
	found := order.FindAllStringSubmatch(text, 2)
	if len(found) != 1 {
		return plugin.Transfer{}, errors.New("I need one amount, SOL or ETH, and one address, as in \"send 0.01 SOL to <address>\"")
	}
	amount, unit, to := found[0][1], strings.ToLower(found[0][2]), found[0][3]
	t := plugin.Transfer{Chain: "solana", To: to}
	if unit == "eth" || unit == "wei" {
		t.Chain = "evm"
	}
	if strings.HasPrefix(to, "0x") != (t.Chain == "evm") {
		return plugin.Transfer{}, fmt.Errorf("the address is not one of %s", title(t.Chain))
	}
	places := decimals(t.Chain)
	if unit != "sol" && unit != "eth" {
		places = 0
	}
	var err error
	t.Units, err = Units(amount, places)
	return t, err
}

// Units reads a decimal amount exactly; more decimal places than the currency has are an error.
func Units(text string, places int) (*big.Int, error) {
	whole, fraction, _ := strings.Cut(text, ".")
	if len(fraction) > places || len(whole) > 30 {
		return nil, fmt.Errorf("%.40q has more than %d decimal places", text, places)
	}
	n, ok := new(big.Int).SetString(whole+fraction+strings.Repeat("0", places-len(fraction)), 10)
	if !ok {
		return nil, fmt.Errorf("%.40q is no amount", text)
	}
	return n, nil
}

// Format writes an amount in its currency, exactly.
func Format(a plugin.Amount) string {
	digits := a.Units.String()
	if pad := a.Decimals + 1 - len(digits); pad > 0 {
		digits = strings.Repeat("0", pad) + digits
	}
	cut := len(digits) - a.Decimals
	fraction := strings.TrimRight(digits[cut:], "0")
	if fraction != "" {
		fraction = "." + fraction
	}
	return digits[:cut] + fraction + " " + a.Symbol
}

func decimals(chain string) int {
	if chain == "evm" {
		return 18
	}
	return 9
}

func symbol(chain string) string {
	if chain == "evm" {
		return "ETH"
	}
	return "SOL"
}
