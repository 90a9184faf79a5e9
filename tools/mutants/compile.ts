import { dirname, posix } from 'node:path';
import ts from 'typescript';

/** The compiler options of the build. */
export function buildOptions(root: string): ts.CompilerOptions {
  const path = `${root}/tsconfig.build.json`;
  const { config, error } = ts.readConfigFile(path, (file) => ts.sys.readFile(file)) as {
    config: unknown;
    error?: ts.Diagnostic;
  };
  if (error) throw new Error(text(error));
  const parsed = ts.parseJsonConfigFileContent(config, ts.sys, dirname(path));
  return { ...parsed.options, noEmit: false, incremental: false, tsBuildInfoFile: undefined };
}

/** One file as the build compiles it, `@app/<lib>` imports made relative as the build does. `file` is below the root. */
export function compile(source: string, file: string, options: ts.CompilerOptions): string {
  const { outputText } = ts.transpileModule(source, {
    fileName: file,
    // The name alone does not tell the compiler that the package is of modules.
    compilerOptions: { ...options, module: ts.ModuleKind.ESNext, moduleResolution: undefined, sourceMap: false },
  });
  const up = posix.relative(posix.dirname(file), '.');
  return outputText.replace(/(from |import\()(['"])@app\/([a-z-]+)\2/g, `$1$2${up}/libs/$3/src/index.js$2`);
}

/**
 * What the compiler has to say against sources that differ from the files on disk, one set at a time. A bug that does not compile
 * would be found by its crash, and prove nothing.
 */
export class TypeChecker {
  private overlay: ReadonlyMap<string, string> = new Map();
  private version = 0;
  private readonly changedAt = new Map<string, number>();
  private readonly service: ts.LanguageService;

  constructor(
    private readonly root: string,
    options: ts.CompilerOptions,
    roots: readonly string[],
  ) {
    const absolute = roots.map((file) => `${root}/${file}`);
    this.service = ts.createLanguageService({
      getCompilationSettings: () => ({ ...options, noEmit: true, noUnusedLocals: false, noUnusedParameters: false }),
      getScriptFileNames: () => absolute,
      getScriptVersion: (path) => String(this.changedAt.get(path) ?? 0),
      getScriptSnapshot: (path) => {
        const content = this.overlay.get(path) ?? ts.sys.readFile(path);
        return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content);
      },
      getCurrentDirectory: () => root,
      getDefaultLibFileName: (settings) => ts.getDefaultLibFilePath(settings),
      fileExists: (path) => ts.sys.fileExists(path),
      readFile: (path) => ts.sys.readFile(path),
      directoryExists: (path) => ts.sys.directoryExists(path),
      getDirectories: (path) => ts.sys.getDirectories(path),
      readDirectory: (path, extensions) => ts.sys.readDirectory(path, extensions),
    });
  }

  /** The errors in these files, whose names are below the root. */
  errors(sources: ReadonlyMap<string, string>): readonly string[] {
    const before = this.overlay;
    this.overlay = new Map([...sources].map(([file, source]) => [`${this.root}/${file}`, source]));
    this.version += 1;
    for (const path of [...before.keys(), ...this.overlay.keys()]) this.changedAt.set(path, this.version);
    return [...this.overlay.keys()].flatMap((path) =>
      [...this.service.getSyntacticDiagnostics(path), ...this.service.getSemanticDiagnostics(path)].map(text),
    );
  }
}

function text({ file, start, messageText }: ts.Diagnostic): string {
  const message = ts.flattenDiagnosticMessageText(messageText, '\n');
  if (!file || start === undefined) return message;
  const { line } = file.getLineAndCharacterOfPosition(start);
  return `${posix.basename(file.fileName)}:${line + 1}: ${message}`;
}
