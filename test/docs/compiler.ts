import ts from 'typescript';
import tsupConfig from '../../tsup.config.ts';
import { ROOT } from './markdown.ts';

const { config } = ts.readConfigFile(`${ROOT}/tsconfig.json`, ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);

const { entry } = tsupConfig as { readonly entry: Readonly<Record<string, string>> };

/** The compiler's options of the repository; a snippet may declare what it does not use. */
const OPTIONS: ts.CompilerOptions = {
  ...options,
  paths: Object.fromEntries(
    Object.entries(entry).map(([name, source]) => [
      name === 'index' ? 'otel-circuit-breaker' : `otel-circuit-breaker/${name}`,
      [`${ROOT}/${source}`],
    ]),
  ),
  noUnusedLocals: false,
  noUnusedParameters: false,
  isolatedModules: false,
  // Written for readers: `import { Type }` is fine in a snippet.
  verbatimModuleSyntax: false,
};

/** Source texts by a path from the root of the repository, where nothing is written. */
export type Snippets = Readonly<Record<string, string>>;

/** What the compiler says of snippets that stand in the repository, in one line each. */
export function compile(snippets: Snippets): string[] {
  const program = programOf(snippets);
  const own = new Set(Object.keys(snippets).map((name) => `${ROOT}/${name}`));
  return ts
    .getPreEmitDiagnostics(program)
    .filter(({ file }) => file === undefined || own.has(file.fileName))
    .map(({ file, start = 0, messageText }) => {
      const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1;
      return `${file?.fileName.slice(ROOT.length + 1)}:${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
}

/** A program of files of the repository and of snippets. */
export function programOf(snippets: Snippets, files: readonly string[] = []): ts.Program {
  const texts = new Map(Object.entries(snippets).map(([name, text]) => [`${ROOT}/${name}`, text]));
  const host = ts.createCompilerHost(OPTIONS);
  const { fileExists, readFile } = host;
  host.fileExists = (name) => texts.has(name) || fileExists(name);
  host.readFile = (name) => texts.get(name) ?? readFile(name);
  const getSourceFile = host.getSourceFile.bind(host);
  host.getSourceFile = (name, version, ...rest) => {
    const text = texts.get(name);
    return text === undefined
      ? getSourceFile(name, version, ...rest)
      : ts.createSourceFile(name, text, version, true);
  };
  return ts.createProgram({
    rootNames: [...texts.keys(), ...files.map((file) => `${ROOT}/${file}`)],
    options: OPTIONS,
    host,
  });
}
