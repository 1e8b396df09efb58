import Platform
import ProgramSignIn

extension Command {
    /// Answers one question of another program with the exit code: 0 yes, 1 no, 111 later.
    ///
    ///     OneShotConvention.question   reads what the program asks
    ///     ProgramSignIns.verdict       decides, counts and records, like a sign-in
    ///     OneShotConvention.output     what the program reads beside the exit code
    func verify(_ options: Options) throws(CommandError) {
        let convention = try options.oneShotConvention
        let call = ProgramCall(
            variable: { ProcessEnvironment.value(of: $0)?.bytes },
            read: { bytesMax in
                try (options.paths.first.map { try InputFile($0) } ?? .standardInput).contents(bytesMax: bytesMax)
            },
            hasFile: !options.paths.isEmpty
        )
        let verdict: Verdict
        do throws(CommandError) {
            verdict = try Self.verdict(on: call, by: convention, options)
        } catch {
            print(convention.output(.later, in: call), terminator: "")
            throw error
        }
        print(convention.output(verdict, in: call), terminator: "")
        switch verdict {
        case .yes, .known: break
        case .no: CurrentProcess.end(status: ExitStatus.failure.rawValue)
        case .later: CurrentProcess.end(status: ExitStatus.unanswered.rawValue)
        }
    }

    private static func verdict(
        on call: ProgramCall,
        by convention: OneShotConvention,
        _ options: Options
    ) throws(CommandError) -> Verdict {
        do {
            let question = try convention.question(in: call)
            for name in convention.secretVariables { ProcessEnvironment.wipe(name) }
            // This needs no store, so a store that cannot be used makes no difference.
            if case .refused(let reason) = question {
                return ProgramSignIns.refuse(because: reason, Log(level: options.logLevel))
            }
            let signIns = try ProgramSignIns(options)
            defer { signIns.close() }
            return signIns.verdict(on: question)
        } catch let error as CommandError {
            throw error.exit == .usage ? error : .unanswered(error.message)
        } catch {
            // A CallFault, whose text has no data of the call.
            throw .unanswered("--as \(convention.rawValue): \(error)")
        }
    }
}
