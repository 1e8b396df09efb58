import PosternTesting
import Testing

/// The command lines of `postern man` and `postern completions`. Tests/Shells/ reads what they print.
struct ShellIntegrationTests {
    @Test(arguments: ["bash", "zsh", "fish"])
    func printsCompletions(shell: String) throws {
        let outcome = try PosternProcess.run(["completions", shell])
        #expect(outcome.status == 0 && outcome.errors == "")
        #expect(outcome.output.contains("printed by postern completions \(shell)."))
    }

    @Test(arguments: [
        (["completions"], "postern completions takes bash | zsh | fish"),
        (["completions", "tcsh"], "postern completions takes bash | zsh | fish"),
        (["completions", "bash", "zsh"], "postern completions takes bash | zsh | fish"),
        (["man", "serve"], "postern man takes only flags"),
        (["man", "--data", "x"], "--data is not a flag of postern man"),
    ])
    func refusesWrongArguments(arguments: [String], message: String) throws {
        let outcome = try PosternProcess.run(arguments)
        #expect(outcome.status == 64 && outcome.output == "" && outcome.errors.contains(message))
    }
}
