package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"overnight/jobs"
	"overnight/results"
	"overnight/results/report"
	"overnight/results/sqlitestore"
)
