/// Generates docs/numbers.md: the bounds and link paths that a program with accounts needs to know.
struct NumbersEmitter {
    let text: String

    init(_ contract: Contract) {
        var lines = ["<!-- \(generatedWords) -->", "", "# Numbers an application needs", ""]
        lines += ["These are the same in all three APIs, unless a line names one. `rpc.discover` has them too.", ""]
        let limits = contract.limits.limits
        for topic in limits.compactMap(\.topic).uniqued {
            lines += ["## \(topic.prefix(1).uppercased())\(topic.dropFirst())", ""]
            lines += ["| | value | name |", "| --- | --- | --- |"]
            lines += limits.filter { $0.topic == topic }.map { limit in
                "| \(limit.description) | \(limit.amount) | `\(limit.name)` |"
            }
            lines.append("")
        }
        lines += ["## Mails and their links", ""]
        lines += [
            "A link is the `--public-url`, this path, and the code. Your program serves the page: it passes the code on to",
            "the method that takes it. `--mail-templates` replaces the texts.", "",
        ]
        lines += ["| mail | | path of its link |", "| --- | --- | --- |"]
        lines += contract.apis.flatMap(\.mails).map { mail in
            "| `\(mail.kind)` | \(mail.description) | \(mail.link.map { "`\($0)`" } ?? "none") |"
        }
        text = lines.joined(separator: "\n") + "\n"
    }
}

extension ContractLimits.Limit {
    /// The value with its unit, if the description does not name it: `90 days`, `8 MiB`.
    fileprivate var amount: String {
        if name.hasSuffix("SecondsMin") { return "\(value) seconds" }
        guard !name.hasSuffix("Seconds"), name.contains("Bytes"), value % 1_024 == 0 else { return words }
        return value % 1_048_576 == 0 ? "\(value / 1_048_576) MiB" : "\(value / 1_024) KiB"
    }
}
