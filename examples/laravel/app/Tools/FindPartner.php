<?php

declare(strict_types=1);

namespace App\Tools;

use AgentWorkers\AppTool;
use AgentWorkers\Progress;

/** A tool that the application runs: it gives the agent data that only the application has. */
final class FindPartner implements AppTool
{
    public function name(): string
    {
        return 'find_partner';
    }

    public function description(): string
    {
        return 'Finds the business partners in a city, with their trade and telephone number.';
    }

    /** @return array<string, mixed> */
    public function schema(): array
    {
        $city = ['type' => 'string', 'description' => 'Name of the city.', 'maxLength' => 100];

        return ['type' => 'object', 'properties' => ['city' => $city], 'required' => ['city']];
    }

    /**
     * @param array{city: string} $input fits the schema
     * @param Progress|null $progress takes what is shown while the tool runs
     * @return list<array<string, string>>
     */
    public function handle(array $input, ?Progress $progress = null): array
    {
        $partners = json_decode((string) file_get_contents(resource_path('partners.json')), true);
        $progress?->write('Looking through ' . count($partners) . " partners\n");
        $city = mb_strtolower($input['city']);
        $isThere = static fn (array $partner): bool => mb_strtolower($partner['city']) === $city;

        return array_values(array_filter($partners, $isThere));
    }
}
