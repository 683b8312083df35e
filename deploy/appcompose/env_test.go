package appcompose

import (
	"slices"
	"testing"
)

func TestVariablesThatAGuestDropsAreAnError(t *testing.T) {
	app, err := FromBytes([]byte(`{"name":"my-agent","allowed_envs":["A","B"],"from":"somebody else"}`))
	if err != nil {
		t.Fatal(err)
	}
	if app.Name() != "my-agent" {
		t.Errorf("name %q", app.Name())
	}
	if missing, err := app.CheckEnv([]string{"A"}); err != nil || !slices.Equal(missing, []string{"B"}) {
		t.Errorf("missing %v, %v", missing, err)
	}
	if _, err := app.CheckEnv([]string{"A", "C"}); err == nil {
		t.Error("a variable that is not allowed was accepted")
	}
}
