#include "arrays/plan/stage.hpp"

namespace weft {

void Codec<plan::StageReference>::write(Writer& writer, const plan::StageReference& reference) {
  const plan::Stage& stage = *reference.stage;
  weft::encode(writer, stage.kind);
  weft::encode(writer, stage.grid);
  weft::encode(writer, stage.type);
  weft::encode(writer, stage.unit);
  weft::encode(writer, stage.sources);
  weft::encode(writer, stage.program);
  weft::encode(writer, stage.reduce);
  weft::encode(writer, stage.structure != nullptr);
  if (stage.structure != nullptr) {
    encode_address(writer, stage.structure->type);
    stage.structure->type->encode(stage.structure->parameters.get(), writer);
  }
}

void Codec<plan::StageReference>::read(Reader& reader, plan::StageReference& reference) {
  auto stage = std::make_shared<plan::Stage>();
  stage->kind = weft::decode<std::uint8_t>(reader);
  stage->grid = weft::decode<expression::Grid>(reader);
  stage->type = weft::decode<TypeCode>(reader);
  stage->unit = weft::decode<TimeUnit>(reader);
  stage->sources = weft::decode<std::vector<plan::Source>>(reader);
  stage->program = weft::decode<plan::Program>(reader);
  stage->reduce = weft::decode<expression::ReduceSpec>(reader);
  if (weft::decode<bool>(reader)) {
    auto structure = std::make_shared<expression::Structure>();
    structure->type = static_cast<const expression::StructureType*>(decode_address(reader));
    structure->parameters = structure->type->decode(reader);
    stage->structure = std::move(structure);
  }
  reference.stage = std::move(stage);
}

}  // namespace weft
