<?php

declare(strict_types=1);

namespace Database\Seeders;

use App\Models\AiInsight;
use App\Models\Partner;
use App\Models\PartnerMetrics;
use Illuminate\Database\Seeder;

/** A dozen partners. Each file is an example of the skill partner-health, too: an input, and an output that is right. */
final class DatabaseSeeder extends Seeder
{
    /** How many days ago the health was computed. Of the others nothing is known yet. */
    private const COMPUTED = [
        'p-101' => 2, 'p-102' => 2, 'p-103' => 9, 'p-104' => 1, 'p-105' => 2, 'p-107' => 12, 'p-108' => 2, 'p-112' => 1,
    ];

    public function run(): void
    {
        foreach (glob(database_path('partners/*.json')) ?: [] as $file) {
            $this->partner(json_decode((string) file_get_contents($file), true, 512, JSON_THROW_ON_ERROR));
        }
    }

    /** @param array{input: array<string, mixed>, output: array<string, mixed>} $example */
    private function partner(array $example): void
    {
        ['input' => $input, 'output' => $output] = $example;
        $partner = Partner::create($input['partner']);
        foreach ($input['notes'] as $note) {
            $partner->notes()->create($note);
        }
        $days = self::COMPUTED[$partner->id] ?? null;
        $at = $days === null ? null : now()->subDays($days);
        PartnerMetrics::create(['partner_id' => $partner->id, 'as_of' => $input['as_of']] + $input['metrics'] + [
            'health_score' => $at === null ? null : $output['score'],
            'health_status' => $at === null ? null : $output['status'],
            'health_at' => $at,
        ]);
        $at === null || AiInsight::create([
            'partner_id' => $partner->id,
            'skill' => 'partner-health',
            'skill_version' => '1.0.0',
            'run' => "seeded-$partner->id",
            'input' => $input,
            'output' => $output,
            'needs_review' => $output['confidence'] < 0.5,
            'cost_usd' => 0.012,
            'computed_at' => $at,
        ]);
    }
}
