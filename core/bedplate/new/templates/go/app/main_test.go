package main

import (
	"bufio"
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// running is a Bedplate for the time of the test, which announces itself in a folder of the test.
func running(t *testing.T) {
	program, err := exec.LookPath("bedplate")
	if err != nil {
		t.Skip("no bedplate here to run against")
	}
	plant := t.TempDir()
	t.Setenv("BEDPLATE_HOME", plant)
	for _, name := range []string{"my-thing-line.yaml", "sim.py"} {
		text, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(plant, name), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	kernel := exec.Command(program, "run", "my-thing-line.yaml", "--plugin", "sim.py", "--listen", "127.0.0.1:0", "--json")
	kernel.Dir = plant
	told, err := kernel.StdoutPipe()
	if err == nil {
		err = kernel.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		kernel.Process.Signal(os.Interrupt)
		kernel.Wait()
	})
	lines := bufio.NewScanner(told)
	for lines.Scan() {
		if strings.Contains(lines.Text(), `"running"`) {
			go func() {
				for lines.Scan() {
				}
			}()
			return
		}
	}
	t.Fatal("bedplate ended before it ran")
}

func TestWhatComesIsWrittenAndNothingTwiceWhenItGoesOn(t *testing.T) {
	running(t)
	file := filepath.Join(t.TempDir(), "values.csv")
	for range 2 {
		if err := run(file, 3, []string{"**/level"}); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	rows, err := csv.NewReader(text).ReadAll()
	if err != nil || len(rows) < 6 {
		t.Fatal(rows, err)
	}
	var times []string
	for _, row := range rows {
		level, err := strconv.ParseFloat(row[2], 64)
		if err != nil || level < 0 || level > 100 || row[0] != "plant/line1/tank/level" || row[3] != "0" {
			t.Error(row)
		}
		times = append(times, row[1])
	}
	if slices.Sort(times); len(slices.Compact(times)) != len(rows) {
		t.Error("a row was written twice")
	}
	if err := run(file, 3, []string{"levle"}); err == nil || !strings.Contains(err.Error(), "did you mean level?") {
		t.Error(err)
	}
}

func TestTheFileKnowsHowFarItIs(t *testing.T) {
	one := &book{file: filepath.Join(t.TempDir(), "values.csv")}
	if token, err := one.token(); token != nil || err != nil {
		t.Error(token, err)
	}
	if err := one.add([][]string{{"a", "2026-01-01T00:00:00.000", "1.5", "0"}}, []byte("here")); err != nil {
		t.Fatal(err)
	}
	if token, _ := (&book{file: one.file}).token(); string(token) != "here" {
		t.Error(token)
	}
}
