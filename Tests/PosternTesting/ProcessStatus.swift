import Foundation
import Testing

extension PosternProcess {
    /// A size in bytes of /proc/PID/status, such as `VmRSS` or `VmHWM`.
    package func memory(_ name: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(processIdentifier)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("\(name):") })
        return try #require(line.split(whereSeparator: \.isWhitespace).dropLast().last.flatMap { Int($0) }) * 1_024
    }
}
