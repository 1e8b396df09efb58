import Foundation
import JSON
import PosternClient
import PosternTranscripts
import Transcripts

/// Programs for the client's tests and measurements:
///
///     PosternClientTrials replay [FOLDER]   replays all transcripts and prints each reply as a line of JSON
///     PosternClientTrials bench             measures a call, and prints a line of JSON
///     PosternClientTrials opening           measures opening, and prints a line of JSON
///     PosternClientTrials stay              starts Postern and another process, prints both process ids, and waits
///     PosternClientTrials outlive           prints the error of a call to a program that has closed its input
///     PosternClientTrials scrimp            prints the outcomes of opening with few descriptors
///     PosternClientTrials unaware           prints the error of a call if the host ignores SIGCHLD
///
/// The binary is the one that POSTERN_BIN names, or else `postern` on PATH.
@main
struct Main {
    static func main() async throws {
        switch CommandLine.arguments.dropFirst().first {
        case "replay":
            let folder = CommandLine.arguments.dropFirst(2).first ?? Transcript.folder
            for transcript in try Transcript.all(in: folder) {
                let replay = try await Replay(of: transcript)
                for reply in replay.replies { print(reply) }
            }
        case "bench": print(try await Bench().report.text)
        case "opening": print(try await Bench.opening().text)
        case "stay": try await Host.stay()
        case "outlive": try await Host.outlive()
        case "scrimp": try await Host.scrimp()
        case "unaware": try await Host.unaware()
        default:
            FileHandle.standardError.write(
                Data(
                    "usage: PosternClientTrials replay [FOLDER] | bench | opening | stay | outlive | scrimp | unaware\n"
                        .utf8
                )
            )
            exit(64)
        }
    }
}
