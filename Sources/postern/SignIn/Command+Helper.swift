import Platform
import ProgramSignIn

extension Command {
    /// Answers the questions of another program that keeps this one running, until its input ends. Each is answered
    /// before the next one is read.
    func answerRequests(_ options: Options) throws(CommandError) {
        var program = try options.helperConvention.program(hasChannels: options.hasChannels)
        let signIns = try ProgramSignIns(options)
        defer { signIns.close() }
        let buffer = RequestBuffer()
        do throws(SystemError) {
            repeat {
                while let request = program.next(in: buffer) {
                    let reply = program.reply(signIns.verdict(on: request.question), to: request)
                    try Self.write(reply)
                }
                signIns.maintain()
            } while try Self.fill(buffer)
        } catch .brokenPipe {
            // The program has gone.
        } catch {
            throw .unanswered("requests and replies: \(error)")
        }
    }

    /// Waits for input, also if the program has made stdin non-blocking.
    private static func fill(_ buffer: RequestBuffer) throws(SystemError) -> Bool {
        while true {
            do throws(SystemError) {
                return try buffer.fill(from: .standardInput)
            } catch .interrupted {
            } catch .wouldBlock {
                _ = Readiness.wait(.standardInput, nil, milliseconds: nil)
            }
        }
    }

    private static func write(_ reply: [UInt8]) throws(SystemError) {
        let error = reply.withUnsafeBytes { bytes in
            WholeWrite.run(bytes, to: .standardOutput) {
                Readiness.waitForRoom(.standardOutput)
                return true
            }
        }
        if let error { throw error }
    }
}
