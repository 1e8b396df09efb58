import CLibrary
import Platform

/// Runs histories of stores on simulated machines, and checks that every promise of the store was kept.
///
/// With `--salvage` it prints damaged stores and what a salvage of them saves, for `salvage.py`.
///
/// `Simulation [--seed NUMBER] [--seconds NUMBER] [--count NUMBER] [--until-failure] [--trace] [--quiet] [--salvage]`
@main
struct Simulation {
    static func main() {
        // Swift's hashing is random otherwise, and so is the order of what comes from sets.
        if getenv("SWIFT_DETERMINISTIC_HASHING") == nil {
            setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
            execv("/proc/self/exe", CommandLine.unsafeArgv)
            refuse("the simulation could not start itself with the same hashing in every run")
        }
        let options = Options(CommandLine.arguments)
        guard !options.salvages else { return salvage(options) }
        var counts = Counts()
        var failed: [UInt64] = []
        let start = MonotonicClock.milliseconds
        var seed = options.seed
        while counts.histories < options.count, MonotonicClock.milliseconds - start < options.seconds * 1_000 {
            var history = History(seed: seed, prints: options.traces)
            if let violation = history.run() {
                print("seed \(seed): \(violation)")
                fflush(nil)
                failed.append(seed)
                if options.stopsAtFailure { break }
            }
            if options.traces { print("seed \(seed): checksum \(history.check)") }
            counts += history.counts
            seed &+= 1
        }
        let seconds = Double(MonotonicClock.milliseconds - start) / 1_000
        if !options.isQuiet || !failed.isEmpty {
            print(counts.report(from: options.seed, seconds: seconds, failed: failed))
        }
        exit(failed.isEmpty ? 0 : 1)
    }

    /// Ends the program with a message on stderr.
    private static func refuse(_ message: String) -> Never {
        _ = Array("\(message)\n".utf8).withUnsafeBytes { WholeWrite.run($0, to: .standardError) }
        exit(2)
    }

    /// Prints damaged stores, one line of JSON each.
    private static func salvage(_ options: Options) {
        for seed in options.seed..<options.seed + UInt64(options.count) {
            guard let image = DamagedImage(seed: seed) else { continue }
            do {
                let line = try image.line()
                let error = line.withUnsafeBytes { WholeWrite.run($0, to: .standardOutput) }
                if let error { refuse("write: \(error)") }
            } catch {
                refuse("seed \(seed): the salvage failed: \(error)")
            }
        }
    }
}

/// What the command line asks for.
private struct Options {
    var seed: UInt64 = 1
    var seconds = Int.max / 1_000
    var count = Int.max
    var salvages = false
    var isQuiet = false
    var stopsAtFailure = false
    var traces = false

    init(_ arguments: [String]) {
        var rest = arguments.dropFirst()
        while let flag = rest.popFirst() {
            switch flag {
            case "--trace":
                traces = true
                continue
            case "--quiet":
                isQuiet = true
                continue
            case "--salvage":
                salvages = true
                continue
            case "--until-failure":
                stopsAtFailure = true
                continue
            default: break
            }
            guard let value = rest.popFirst(), let number = UInt64(value) else { Self.refuse(flag) }
            switch flag {
            case "--seed": seed = number
            case "--seconds": seconds = Int(number)
            case "--count": count = Int(number)
            default: Self.refuse(flag)
            }
        }
    }

    private static func refuse(_ flag: String) -> Never {
        print(
            "\(flag): usage: Simulation [--seed NUMBER] [--seconds NUMBER] [--count NUMBER] "
                + "[--until-failure] [--trace] [--quiet] [--salvage]"
        )
        exit(2)
    }
}

extension Counts {
    /// The figures of a run.
    fileprivate func report(from seed: UInt64, seconds: Double, failed: [UInt64]) -> String {
        let errors = errors.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        let perHour = Int(Double(crashPoints + crashesInRecovery) / max(0.001, seconds) * 3_600)
        return """
            \(histories) histories from seed \(seed) in \(seconds) s, \(failed.count) failed
            \(calls) system calls, \(transactions) transactions, \(reads) readings, \(compactions) compactions asked for
            \(crashPoints) crash points, \(crashesInRecovery) more during a recovery: \(perHour) an hour
            \(powerCuts) power cuts, \(kills) kills, \(stops) stops, \(fullDisks) full disks, \(clockJumps) clock jumps
            failed calls: \(errors)
            """
    }
}
