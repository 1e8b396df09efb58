import Foundation

extension PosternProcess {
    /// The peak memory of the process so far, in bytes: VmHWM of proc_pid_status(5).
    package var peakMemoryBytes: Int {
        get throws {
            let status = try String(contentsOfFile: "/proc/\(processIdentifier)/status", encoding: .utf8)
            let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
            guard
                let kibibytes = line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap({
                    Int($0)
                })
            else { throw CocoaError(.fileReadCorruptFile) }
            return kibibytes << 10
        }
    }

    /// Waits until the process has used no processor time for a while, so it waits for input or for its output to be
    /// read. Kills a process that does not become idle, so that the test fails.
    package func waitUntilIdle() throws {
        var (last, same) = (-1, 0)
        let deadline = ContinuousClock.now + .seconds(100)
        while same < 4 {
            if ContinuousClock.now > deadline { kill() }
            usleep(100_000)
            let time = try processorTicks
            same = time == last ? same + 1 : 0
            last = time
        }
    }

    /// The processor time of the process, in clock ticks: utime and stime of proc_pid_stat(5).
    private var processorTicks: Int {
        get throws {
            let stat = try String(contentsOfFile: "/proc/\(processIdentifier)/stat", encoding: .utf8)
            // The command's name, in parentheses, may contain spaces.
            let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
            guard fields.count > 13, let user = Int(fields[12]), let system = Int(fields[13]) else {
                throw CocoaError(.fileReadCorruptFile)
            }
            return user + system
        }
    }
}
