package bench

import (
	"context"
	"time"
)

const importedLines = 5000

// importLines measures the import of new items into an empty database, in lines per second. Every round has a new database.
func importLines(ctx context.Context, s *stage) (result, error) {
	return alternate(ctx, s.Rounds, rateOf, s.sides(func(ctx context.Context, b *build) (round, error) {
		return b.onFresh(ctx, 0, func(fresh *build) (round, error) {
			used, begun := fresh.processes().cpuUsed(), time.Now()
			if err := fresh.importItems(ctx, importedLines); err != nil {
				return round{}, err
			}
			took := time.Since(begun)
			return round{
				count: importedLines, perSecond: importedLines / took.Seconds(), cpu: fresh.processes().cpuUsed().minus(used),
			}, nil
		})
	}, nil), s.logf)
}
