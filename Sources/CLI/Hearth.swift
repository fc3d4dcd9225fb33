import ArgumentParser
@main struct Hearth: AsyncParsableCommand { func run() async throws {} }
