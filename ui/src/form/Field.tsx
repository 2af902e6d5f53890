/** The field for any schema. */
import { BlobField, BytesField, CHOOSABLE, FolderField } from './blobs';
import { ChoiceField } from './choices';
import { ListField } from './lists';
import { MapField, OptionalField, RecordField, TupleField, UnionField } from './groups';
import { MomentField } from './moments';
import { resolve, shapeOf, YES_NO } from './shape';
import { useForm, type FieldProps } from './state';
import { DurationField, JsonField, NumberField, TextField } from './texts';

export function Field(given: FieldProps) {
  const { root } = useForm();
  const props = { ...given, schema: resolve(given.schema, root) };
  const shape = shapeOf(props.schema, root);
  switch (shape.kind) {
    case 'boolean':
      return <ChoiceField {...props} choices={YES_NO} />;
    case 'choice':
      return <ChoiceField {...props} choices={shape.choices} />;
    case 'whole':
    case 'number':
    case 'decimal':
      return <NumberField {...props} kind={shape.kind} />;
    case 'text':
      return <TextField {...props} format={shape.format} />;
    case 'date':
    case 'instant':
    case 'time':
      return <MomentField {...props} kind={shape.kind} />;
    case 'duration':
      return <DurationField {...props} />;
    case 'bytes':
      return <BytesField {...props} />;
    case 'blob':
      if (shape.of === 'directory') return <FolderField {...props} />;
      return CHOOSABLE.has(shape.of) ? (
        <BlobField {...props} of={shape.of} web={shape.web} />
      ) : (
        <JsonField {...props} />
      );
    case 'list':
      return <ListField {...props} items={shape.items} />;
    case 'tuple':
      return <TupleField {...props} items={shape.items} />;
    case 'record':
      return <RecordField {...props} parts={shape.parts} needed={shape.required} />;
    case 'map':
      return <MapField {...props} values={shape.values} />;
    case 'optional':
      return <OptionalField {...props} inner={shape.inner} none={null} />;
    case 'union':
      return <UnionField {...props} members={shape.members} />;
    case 'constant':
      return props.optional === undefined ? null : (
        <ChoiceField {...props} choices={[{ value: shape.value, label: String(shape.value) }]} />
      );
    case 'nothing':
      return null;
    case 'anything':
      return <JsonField {...props} />;
  }
}
