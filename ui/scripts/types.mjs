// Writes src/api/types.ts from the OpenAPI document of the server: one TypeScript type a schema.
// Usage: node scripts/types.mjs DOCUMENT.json [--check]   (a `-` reads standard input)
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [source = '-', ...flags] = process.argv.slice(2);
const target = fileURLToPath(new URL('../src/api/types.ts', import.meta.url));
const { components } = JSON.parse(readFileSync(source === '-' ? 0 : source, 'utf8'));

const key = (name) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));

function typeOf(schema, indent = '') {
    if (!schema || Object.keys(schema).length === 0) return 'Json';
    if (schema.$ref) return schema.$ref.split('/').pop();
    if (schema.enum) return schema.enum.map((each) => JSON.stringify(each)).join(' | ');
    if ('const' in schema) return JSON.stringify(schema.const);
    const choices = schema.anyOf ?? schema.oneOf;
    if (choices) return [...new Set(choices.map((each) => typeOf(each, indent)))].join(' | ');
    if (Array.isArray(schema.type))
        return schema.type.map((each) => typeOf({ ...schema, type: each }, indent)).join(' | ');
    switch (schema.type) {
        case 'string':
            return 'string';
        case 'integer':
        case 'number':
            return 'number';
        case 'boolean':
            return 'boolean';
        case 'null':
            return 'null';
        case 'array':
            return schema.items && Object.keys(schema.items).length > 0
                ? `Array<${typeOf(schema.items, indent)}>`
                : 'Json[]';
        case 'object':
            return objectOf(schema, indent);
        default:
            return 'Json';
    }
}

function objectOf(schema, indent) {
    if (!schema.properties) {
        const values = schema.additionalProperties;
        return `Record<string, ${values && typeof values === 'object' ? typeOf(values, indent) : 'Json'}>`;
    }
    const required = new Set(schema.required ?? []);
    const inner = `${indent}  `;
    const lines = Object.entries(schema.properties).map(
        ([name, part]) => `${inner}${key(name)}${required.has(name) ? '' : '?'}: ${typeOf(part, inner)};`,
    );
    return `{\n${lines.join('\n')}\n${indent}}`;
}

const comment = (schema) =>
    schema.description ? `/** ${schema.description.replace(/\s+/g, ' ').replaceAll('*/', '* /')} */\n` : '';
const types = Object.entries(components.schemas)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, schema]) => `${comment(schema)}export type ${name} = ${typeOf(schema)};`);
const text = `// Generated from the OpenAPI document by scripts/types.mjs; \`make ui-types\` writes it.\nimport type { Json } from './json';\n\n${types.join('\n\n')}\n`;

if (flags.includes('--check')) {
    if (readFileSync(target, 'utf8') !== text) {
        console.error('ui/src/api/types.ts is not what the OpenAPI document says; run `make ui-types`');
        process.exit(1);
    }
} else {
    writeFileSync(target, text);
}
