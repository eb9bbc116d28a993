package bench

import (
	"context"
	"time"
)

const importedLines = 5000

// importLines measures the import of new items into an empty database, in lines per second. Every round has a new
// database.
func importLines(ctx context.Context, s *stage) (result, error) {
	return s.alternate(ctx, s.rounds(s.Rounds), rateOf, s.sides(func(ctx context.Context, b *build) (round, error) {
		return b.onFresh(ctx, 0, func(fresh *build) (round, error) {
			used, begun := fresh.processes().cpuUsed(), time.Now()
			if err := fresh.importItems(ctx, importedLines); err != nil {
				return round{}, err
			}
			took, used := time.Since(begun), fresh.processes().cpuUsed().minus(used)
			return round{count: importedLines, perSecond: importedLines / took.Seconds(), cpu: used}, nil
		})
	}, nil))
}
